"""Signatures of links, with keys of their own derived from TOCSIN_SECRET_KEY."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"tocsin links v1"


class HmacSigner:
    """HMAC-SHA256. Signs with the first of several comma separated keys, and knows the signatures of all of them."""

    def __init__(self, secret_key: str) -> None:
        self._keys = [_derived(key.strip()) for key in secret_key.split(",") if key.strip()]

    def sign(self, text: str) -> str:
        return _signature(self._keys[0], text)

    def is_signed(self, text: str, signature: str) -> bool:
        given = signature.encode()
        return any([hmac.compare_digest(_signature(key, text).encode(), given) for key in self._keys])


def _signature(key: bytes, text: str) -> str:
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _derived(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
