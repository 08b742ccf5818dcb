"""Somebody's own HTTP endpoint, and the signatures that it checks: Standard Webhooks 1.0.0 (symmetric, `v1`)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from service.domain.notify.channels.documents import LINK, Form, JsonDocument, JsonField
from service.domain.notify.channels.traits import EDITED, Audience, Traits
from service.domain.notify.page_links import LinkUse
from service.domain.values.resources import Sealed

WebhookFormat = Literal["tocsin", "alertmanager"]
"""Our own body, or Alertmanager's webhook version 4."""

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a key."""


def signing_key(secret: str) -> bytes:
    """Returns the key that a secret such as "whsec_MfKQ..." stands for. Raises ValueError, without the secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"write {PREFIX} and then {SHORTEST} to {LONGEST} random bytes in base64")
    return key


def _signing_secret(secret: str) -> str:
    signing_key(secret)
    return secret


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint, which checks our signature with the secret that we share.

    While `previous_secret` is there, messages are signed with both: the endpoint may know either.
    """

    url: Annotated[str, JsonField(Form.ADDRESS, example="https://example.com/hook")]
    secret: Annotated[
        Sealed, JsonField(Form.SECRET, "whsec_ and 24 to 64 random bytes in base64", read=_signing_secret)
    ]
    previous_secret: Annotated[
        Sealed | None,
        JsonField(Form.SECRET, "signs as well, while the endpoint learns the new one", read=_signing_secret),
    ] = None
    format: WebhookFormat = "tocsin"
    link: Annotated[LinkUse, LINK] = LinkUse.READ
    kind: Literal["webhook"] = "webhook"

    document: ClassVar[JsonDocument] = JsonDocument(
        "webhook",
        "An endpoint of your own, signed as Standard Webhooks; the address is shown, so no secret belongs in it.",
    )
    traits: ClassVar[Traits] = Traits(EDITED, Audience.MACHINES)

    @property
    def identity(self) -> str:
        return self.url


def signature_headers(keys: Sequence[bytes], id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt: `id` is the same at every attempt and has no dot, `at` is the attempt's time.

    One signature for each key, in their order: whoever checks is content with any of them.
    """
    seconds = str(int(at.timestamp()))
    signed = f"{id}.{seconds}.".encode() + body
    return {
        "webhook-id": id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(_signature(key, signed) for key in keys),
    }


def _signature(key: bytes, signed: bytes) -> str:
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"
