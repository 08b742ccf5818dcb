"""Reasons as two columns: a word that the previous release knows, and the exact one where that is another.

The previous release runs beside this one, and cannot read a row with a word that it does not know.
"""

from __future__ import annotations

from service.domain.alerts.alert import Reason

_KNOWN_BEFORE = {
    Reason.CALM: Reason.RESTATED,
    Reason.RETURNED: Reason.GREW,
    Reason.NOT_CONFIRMED: Reason.RECOVERED,
    Reason.ACCEPTED: Reason.RECOVERED,
    Reason.CORRECTED: Reason.RESTATED,
    Reason.HANDED_ON: Reason.RESTATED,
    Reason.NO_LONGER_KNOWN: Reason.RULE_EDITED,
    Reason.CHANNEL_GONE: Reason.RECOVERED,
}


def reason_columns(reason: Reason) -> dict[str, Reason | None]:
    """Returns what is stored of a reason."""
    before = _KNOWN_BEFORE.get(reason)
    return {"reason": before or reason, "exact_reason": reason if before else None}


def exact_reason(reason: Reason, exact: Reason | None) -> Reason:
    """Returns the reason of a row. An exact one that does not fit is older than it."""
    return exact if exact is not None and _KNOWN_BEFORE.get(exact) is reason else reason
