"""Signatures of links."""

from __future__ import annotations

from service.adapters.signer import HmacSigner


def test_a_text_is_known_by_its_signature_and_no_other_one_is() -> None:
    signer = HmacSigner("FAKE key of the tests")
    signature = signer.sign("one")
    assert signer.is_signed("one", signature)
    assert not signer.is_signed("two", signature)
    assert not signer.is_signed("one", signature[:-1])
    assert not signer.is_signed("one", "")
    assert not signer.is_signed("one", "é")


def test_another_installation_signs_differently() -> None:
    assert not HmacSigner("FAKE key").is_signed("one", HmacSigner("FAKE other key").sign("one"))


def test_a_link_outlives_the_rotation_of_the_key() -> None:
    before = HmacSigner("FAKE old").sign("one")
    rotated = HmacSigner("FAKE new,FAKE old")
    assert rotated.is_signed("one", before)
    assert rotated.sign("one") == HmacSigner("FAKE new").sign("one")
