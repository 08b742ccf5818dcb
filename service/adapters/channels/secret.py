"""A channel's secret, opened only when sending: a wrong key is a failed delivery, not a crash."""

from __future__ import annotations

from service.domain.notify.circuits import Concern
from service.domain.values.resources import Sealed
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.platform import Vault, VaultError


def opened(vault: Vault, sealed: Sealed) -> str:
    """Raises DeliveryError: it works again once the operator has restored the key."""
    try:
        return vault.open(sealed)
    except VaultError as error:
        raise DeliveryError(str(error), Concern.CREDENTIAL) from error
