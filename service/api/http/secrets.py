"""Write-only secrets: a new one is sealed, and a stub stands for the stored one at the same address."""

from __future__ import annotations

from pydantic import SecretStr

from service.api.http.fields import Secret, SecretStub
from service.domain.values.errors import Invalid
from service.domain.values.resources import Sealed
from service.workflows.ports.platform import Vault


def sealed(vault: Vault, secret: Secret, stored: Sealed | None, *, moved: bool, pointer: str) -> Sealed:
    """Returns the secret to store.

    Raises Invalid for a stub that stands for nothing, and for one beside a changed address (`moved`): a key that
    can only be written must not be sent to a place its writer has not named.
    """
    if isinstance(secret, SecretStr):
        new = vault.seal(secret.get_secret_value())
        unchanged = stored is not None and stored.digest == new.digest and vault.is_current(stored)
        return stored if stored is not None and unchanged else new
    if stored is None or not stands_for(secret, stored):
        raise Invalid("there is no such stored secret; send the secret itself", pointer)
    if moved:
        raise Invalid("the address has changed, so the secret must be sent again", pointer)
    return stored


def stands_for(stub: SecretStub, stored: Sealed) -> bool:
    return stub.hint == stored.hint
