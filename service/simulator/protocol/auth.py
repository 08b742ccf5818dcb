"""Who may ask: an admin key in either header, and a version that exists."""

from __future__ import annotations

from collections.abc import Mapping

from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.errors import ApiError, invalid

OLD_VERSION, NEW_VERSION = "2023-06-01", "2026-10-21"
_ANALYTICS_PREFIX = "sk-ant-api01-"  # keys of Claude Enterprise, here with the permission read:analytics alone
_ADMIN_PREFIXES = ("sk-ant-admin", "sk-ant-oat01-")  # admin keys, and tokens with scope org:admin


def authenticate(headers: Mapping[str, str], path: str, behaviour: Behaviour) -> None:
    """Raises ApiError 401 without a credential, and the configured status for a key that is no admin key.

    A key with the permission read:analytics reads the analytics reports, and is answered 403 elsewhere.
    """
    bearer = headers.get("authorization", "").removeprefix("Bearer ").strip()
    credential = headers.get("x-api-key", "") or bearer
    if not credential:
        raise ApiError(401, "x-api-key header is required")
    if not credential.startswith("sk-ant-"):
        raise ApiError(401, "invalid x-api-key")
    if credential.startswith(_ANALYTICS_PREFIX):
        if not path.startswith("/v1/organizations/analytics/"):
            raise ApiError(403, "This key has no permission beyond read:analytics")
    elif not credential.startswith(_ADMIN_PREFIXES):
        raise ApiError(behaviour.workspace_key_status, "This endpoint requires an Admin API key")


def version(headers: Mapping[str, str]) -> str:
    """The `anthropic-version` asked for. Raises ApiError 400 when it is missing or unknown."""
    asked = headers.get("anthropic-version", "")
    if not asked:
        raise invalid("anthropic-version: header is required")
    if asked not in {OLD_VERSION, NEW_VERSION}:
        raise invalid(f'anthropic-version: "{asked}" is not a valid version')
    return asked


def betas(headers: Mapping[str, str]) -> set[str]:
    """The beta features named in `anthropic-beta`."""
    return {name.strip() for name in headers.get("anthropic-beta", "").split(",") if name.strip()}
