"""Secrets at rest can be read with the right key, by nobody else, and survive a change of keys."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from service.adapters.vault import FernetVault
from service.domain.values.resources import Sealed
from service.workflows.ports.platform import Vault, VaultError

SECRET = "xoxb-FAKE-secret-9f3a"


def test_a_sealed_secret_opens_to_what_it_was() -> None:
    vault: Vault = FernetVault("FAKE key")
    for secret in (SECRET, "", "schlüssel 🔑", "x" * 10_000):
        assert vault.open(vault.seal(secret)) == secret


def test_the_sealed_form_holds_nothing_of_the_secret_but_its_end() -> None:
    sealed = FernetVault("FAKE key").seal(SECRET)
    assert "FAKE-secret" not in sealed.ciphertext + sealed.hint + sealed.digest + repr(sealed)
    assert sealed.hint == "...9f3a"


@pytest.mark.parametrize(("secret", "hint"), [("x" * 11, "..."), ("x" * 8 + "9f3a", "...9f3a"), ("", "...")])
def test_only_a_long_secret_has_a_hint(secret: str, hint: str) -> None:
    assert FernetVault("FAKE key").seal(secret).hint == hint


def test_equal_secrets_have_equal_digests_and_different_ciphertexts() -> None:
    vault = FernetVault("FAKE key")
    one, two = vault.seal(SECRET), vault.seal(SECRET)
    assert one.digest == two.digest != vault.seal("another").digest
    assert one.ciphertext != two.ciphertext


def test_a_digest_cannot_be_made_without_the_key() -> None:
    digest = FernetVault("FAKE key").seal(SECRET).digest
    for bare in (hashlib.sha256(SECRET.encode()), hashlib.sha256(f"FAKE key{SECRET}".encode())):
        assert bare.hexdigest()[:16] not in digest
    assert digest != FernetVault("another FAKE key").seal(SECRET).digest


def test_the_digest_of_an_earlier_release_becomes_the_one_of_today_once() -> None:
    vault = FernetVault("FAKE key")
    keyed = vault.keyed(hashlib.sha256(SECRET.encode()).hexdigest()[:16])
    assert keyed == vault.seal(SECRET).digest == vault.keyed(keyed)


def test_a_secret_matches_what_is_sealed_whatever_its_digest_and_key() -> None:
    old, both, other = FernetVault("old FAKE"), FernetVault("new FAKE,old FAKE"), FernetVault("another FAKE")
    sealed = replace(old.seal(SECRET), digest="0123456789abcdef")
    assert both.matches(sealed, SECRET)
    assert not both.matches(sealed, "another")
    assert not other.matches(sealed, SECRET)


def test_a_wrong_key_says_what_to_do() -> None:
    sealed = FernetVault("FAKE key").seal(SECRET)
    with pytest.raises(VaultError, match=r"\.\.\.9f3a was sealed with another key: add that key to TOCSIN_SECRET_KEY"):
        FernetVault("another FAKE key").open(sealed)


def test_a_new_key_in_front_seals_while_the_old_one_still_opens() -> None:
    old, both, new = FernetVault("old FAKE"), FernetVault(" new FAKE , old FAKE "), FernetVault("new FAKE")
    assert both.open(old.seal(SECRET)) == SECRET
    assert new.open(both.seal(SECRET)) == SECRET
    with pytest.raises(VaultError):
        old.open(both.seal(SECRET))


@pytest.mark.parametrize("key", ["", " ", ",", " , "])
def test_an_empty_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="TOCSIN_SECRET_KEY is empty"):
        FernetVault(key)


def test_what_an_earlier_release_sealed_still_opens() -> None:
    ciphertext = "gAAAAABrAgYcTTByEcMGkHy0jiDPf_KKMIymuKxal0iwo5G3l1qxBSu1Re6jHNvRibQgL4A2zliOpKTbu15Zl1RE4DJibct3Rw=="
    sealed = Sealed(ciphertext, hint="...", digest="")
    assert FernetVault("FAKE key of release one").open(sealed) == "a FAKE secret"


def test_a_secret_sealed_with_an_older_key_is_not_current_until_it_is_sealed_again() -> None:
    sealed = FernetVault("old").seal("xoxb-FAKE-secret")
    rotating = FernetVault("new,old")
    assert not rotating.is_current(sealed)
    assert rotating.is_current(rotating.seal("xoxb-FAKE-secret"))
