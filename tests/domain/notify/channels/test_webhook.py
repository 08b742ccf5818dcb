"""Signatures as Standard Webhooks computes them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from service.domain.notify.channels.webhook import signature_headers, signing_key

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the specification's public example


def test_the_vector_of_the_specification_s_own_tests_comes_out() -> None:
    headers = signature_headers(
        [signing_key(SECRET)],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("length", [24, 32, 64])
def test_a_key_has_24_to_64_bytes(length: int) -> None:
    assert len(signing_key(f"whsec_{base64.b64encode(b'F' * length).decode()}")) == length


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        SECRET.removeprefix("whsec_"),
        f"whsec_{base64.b64encode(b'F' * 23).decode()}",
        f"whsec_{base64.b64encode(b'F' * 65).decode()}",
        "whsec_not base64 at all, FAKEFAKEFAKE",
        f"{SECRET}é",
    ],
)
def test_anything_else_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 random bytes") as caught:
        signing_key(secret)
    assert "FAKE" not in str(caught.value)
