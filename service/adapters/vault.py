"""Secrets at rest, sealed with Fernet (AES-128-CBC and HMAC-SHA256) under keys from TOCSIN_SECRET_KEY."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.domain.values.resources import Sealed
from service.workflows.ports.platform import VaultError

SHORTEST_HINTED = 12
"""A shorter secret's last four characters would give too much of it away."""
# Part of how every stored secret was sealed: changing it makes them all unreadable.
_PURPOSE = b"tocsin vault v1"
_PURPOSE_OF_DIGESTS = b"tocsin vault digests v1"
_PURPOSE_OF_PSEUDONYMS = b"tocsin vault pseudonyms v1"
_BARE = re.compile(r"[0-9a-f]{16}")


class FernetVault:
    """Seals under the first of several comma separated keys and opens with any of them.

    To rotate, put the new key in front ("new,old"), and drop the old one when every secret has been sent
    again. A key is any text without commas; a long random one protects. Raises ValueError without any.
    """

    def __init__(self, secret_key: str) -> None:
        keys = [key.strip() for key in secret_key.split(",") if key.strip()]
        if not keys:
            raise ValueError("TOCSIN_SECRET_KEY is empty: set it to a long random text")
        fernets = [Fernet(_derived(key)) for key in keys]
        self._current, self._fernet = fernets[0], MultiFernet(fernets)
        self._digest_key = _derived(keys[0], _PURPOSE_OF_DIGESTS)
        # The oldest: a new key in front of it must not make other people of everybody.
        self._pseudonym_key = _derived(keys[-1], _PURPOSE_OF_PSEUDONYMS)

    def seal(self, secret: str) -> Sealed:
        return Sealed(
            ciphertext=self._fernet.encrypt(secret.encode()).decode(),
            hint=f"...{secret[-4:]}" if len(secret) >= SHORTEST_HINTED else "...",
            digest=self.keyed(hashlib.sha256(secret.encode()).hexdigest()[:16]),
        )

    def keyed(self, digest: str) -> str:
        """Returns a digest that only this key makes, of a bare one; any other as it is.

        Without the key, a guessed secret cannot be held against it. It is made of the bare one, so that what an
        earlier release stored can be keyed without opening its secret.
        """
        if not _BARE.fullmatch(digest):
            return digest
        return f"k{hmac.new(self._digest_key, digest.encode(), hashlib.sha256).hexdigest()[:16]}"

    def pseudonym(self, text: str) -> str:
        return hmac.new(self._pseudonym_key, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:16]

    def is_current(self, sealed: Sealed) -> bool:
        try:
            self._current.decrypt(sealed.ciphertext.encode())
        except InvalidToken:
            return False
        return True

    def matches(self, sealed: Sealed, secret: str) -> bool:
        try:
            return hmac.compare_digest(self.open(sealed).encode(), secret.encode())
        except VaultError:
            return False

    def open(self, sealed: Sealed) -> str:
        try:
            return self._fernet.decrypt(sealed.ciphertext.encode()).decode()
        except InvalidToken:
            # The cause holds nothing that helps a reader.
            raise VaultError(
                f"the secret {sealed.hint} was sealed with another key: add that key to TOCSIN_SECRET_KEY"
                ' ("current,earlier"), or send the secret again over the API'
            ) from None


def _derived(key: str, purpose: bytes = _PURPOSE) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose)
    return base64.urlsafe_b64encode(derivation.derive(key.encode()))
