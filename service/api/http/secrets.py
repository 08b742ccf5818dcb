"""Write-only secrets: a new one is sealed, and a stub stands for the stored one at the same address."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, SecretStr, Tag

from service.api.http.fields import Line, Strict
from service.domain.values.errors import Invalid
from service.domain.values.resources import Sealed
from service.workflows.ports.platform import Vault


class SecretStub(Strict):
    """A stored secret in a read. Sent back, it keeps the secret."""

    set: Literal[True]
    hint: Line = Field(examples=["...9f3a"])


def shown(sealed: Sealed) -> SecretStub:
    return SecretStub(set=True, hint=sealed.hint)


def _printable(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]{1,2000}", secret.get_secret_value()):
        raise ValueError("a secret is 1 to 2000 printable ASCII characters without spaces")
    return secret


def _form(value: object) -> str | None:
    return {str: "secret", SecretStr: "secret", dict: "stub", SecretStub: "stub"}.get(type(value))


def _credentials(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]{1,50} [!-~]{1,2000}", secret.get_secret_value()):
        raise ValueError('write a scheme, a space and what it asks for, such as "Bearer ..." or "Basic ..."')
    return secret


_EITHER = Discriminator(
    _form,
    custom_error_type="secret",
    custom_error_message="send the secret as a string, or the stub that a read gave",
)

Secret = Annotated[
    Annotated[SecretStr, AfterValidator(_printable), Tag("secret")] | Annotated[SecretStub, Tag("stub")], _EITHER
]
"""A secret, or the stub that stands for the stored one."""

Credentials = Annotated[
    Annotated[SecretStr, AfterValidator(_credentials), Tag("secret")] | Annotated[SecretStub, Tag("stub")], _EITHER
]
"""The same of what an Authorization header holds."""


def sealed(vault: Vault, secret: Secret, stored: Sealed | None, *, moved: bool, pointer: str) -> Sealed:
    """Returns the secret to store.

    Raises Invalid for a stub that stands for nothing, and for one beside a changed address (`moved`): a key that
    can only be written must not be sent to a place its writer has not named.
    """
    if isinstance(secret, SecretStr):
        return _resealed(vault, secret.get_secret_value(), stored)
    if stored is None or not stands_for(secret, stored):
        raise Invalid("there is no such stored secret; send the secret itself", pointer)
    if moved:
        raise Invalid("the address has changed, so the secret must be sent again", pointer)
    return stored


def _resealed(vault: Vault, secret: str, stored: Sealed | None) -> Sealed:
    """Returns the stored secret if it is this one; sealed with the current key, it is still known by its digest."""
    if stored is None or not vault.matches(stored, secret):
        return vault.seal(secret)
    return stored if vault.is_current(stored) else replace(vault.seal(secret), digest=stored.digest)


def stands_for(stub: SecretStub, stored: Sealed) -> bool:
    return stub.hint == stored.hint
