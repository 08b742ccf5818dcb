"""Slack's request signatures, version v0: who may speak to us over HTTP (docs.slack.dev: verifying requests)."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from enum import StrEnum

TOLERANCE = timedelta(minutes=5)
"""How far a request's time may be from ours, either way."""
_LONGEST_TIMESTAMP = 12


class Refusal(StrEnum):
    """Why a request is not taken for Slack's."""

    UNSIGNED = "it is not signed"
    OLD = "its time is more than five minutes away"
    ALTERED = "its signature does not match"
    REPLAYED = "it has been here before"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of X-Slack-Signature for a raw body and the X-Slack-Request-Timestamp beside it."""
    signed = b":".join((b"v0", timestamp.encode(), body))
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def verify(secret: str, timestamp: str, body: bytes, signature: str, now: datetime) -> Refusal | None:
    """The fault of a request; None where it is Slack's. `now` is real time. Never raises for what is sent."""
    if not timestamp or not signature:
        return Refusal.UNSIGNED
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _LONGEST_TIMESTAMP):
        return Refusal.ALTERED
    if not hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode("utf-8", "replace")):
        return Refusal.ALTERED
    age = now.timestamp() - int(timestamp)
    return Refusal.OLD if abs(age) > TOLERANCE.total_seconds() else None
