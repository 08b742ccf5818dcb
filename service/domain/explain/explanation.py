"""Why something fired or did not at an instant: every gate in order, and the outcome in one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.domain.alerts.alert import Alert, AlertEvent, Reason
from service.domain.messages.kinds import words_of
from service.domain.rules.memory import FIRED
from service.domain.rules.rule import DOLLARS, PENDING_FOR, GateVerdict
from service.domain.rules.wording import approximate, dollars
from service.domain.values.money import Money
from service.domain.values.periods import Period
from service.domain.values.plain_text import minute
from service.domain.values.scopes import ScopeKey

WOULD_RING = "would_ring"
AMENDS = "amends"
"""An alert of it is open: its message is edited, and no other opens."""

ENABLED = "enabled"
EXISTS = "exists"
KNOWN = "known"
OBJECTS = "objects"
STANDS_ALONE = "stands_alone"
HIGHEST_LEVEL = "highest_level"
MUTED = "muted"
ALREADY_TOLD = "already_told"
OPEN_ALERT = "open_alert"


@dataclass(frozen=True, slots=True)
class AlertThen:
    """An alert as it was at an instant, with the reason and the cause that it was opened for."""

    alert: Alert
    reason: Reason
    cause: str


@dataclass(frozen=True, slots=True)
class ExplainedOutcome:
    """`name` is rang, would_ring, amends, or the gate that stopped it; `conclusion` says it in one sentence."""

    name: str
    conclusion: str

    @property
    def fires(self) -> bool:
        return self.name in (FIRED, WOULD_RING)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One scope's answer. Amounts in US dollars, None where they are not known or `unit` is not dollars' measure.

    `gates` are in the order of deciding, those after the one that stopped it included. `period` and `threshold` are of
    budgets alone: `actual` is then what was spent (or is forecast) and `expected` the threshold's level.
    """

    scope: ScopeKey
    name: str
    outcome: ExplainedOutcome
    gates: tuple[GateVerdict, ...]
    cause: str = ""
    unit: str = DOLLARS
    actual: Money | None = None
    expected: Money | None = None
    excess: Money | None = None
    inputs: tuple[tuple[str, str], ...] = ()
    alert: AlertThen | None = None
    period: Period | None = None
    threshold: str | None = None
    severity_reason: str = ""


def then(events: Sequence[AlertEvent], at: datetime) -> AlertThen | None:
    """An alert as its recorded moves, in their order, had left it at an instant; None where it was not open then."""
    happened = [event for event in events if event.at <= at]
    if not happened or not happened[-1].alert.is_open:
        return None
    return AlertThen(happened[-1].alert, happened[0].reason, words_of(happened[0].alert.evidence).cause())


def ranked(explanations: Iterable[Explanation]) -> list[Explanation]:
    """Explanations of what fires first, then of what changes an open alert, each by excess."""
    return sorted(explanations, key=_rank)


def _rank(one: Explanation) -> tuple[int, float, str]:
    place = 0 if one.outcome.fires else 1 if one.outcome.name == AMENDS else 2
    return place, -float(one.excess.usd) if one.excess is not None else math.inf, str(one.scope)


def amount(value: float) -> Money | None:
    return approximate(value) if math.isfinite(value) else None


def shown(value: float, unit: str) -> str:
    """ "$12.00" of dollars; "3 failed polls" of another measure."""
    return dollars(value) if DOLLARS in unit or math.isnan(value) else f"{value:g} {unit}"


def enabled(*, itself: bool, source: bool) -> GateVerdict:
    found = ENABLED if itself and source else "the source is disabled" if itself else "it is disabled"
    return GateVerdict(ENABLED, itself and source, found, ENABLED)


def gone(at: datetime, since: datetime, until: datetime | None, noun: str) -> GateVerdict:
    """The only gate of a resource that did not exist at an instant."""
    gone_by_then = until is not None and at >= until
    found = f"was deleted on {minute(until or at)}" if gone_by_then else f"exists since {minute(since)}"
    return GateVerdict(EXISTS, False, f"the {noun} {found}", f"the {noun} exists")


def first_stop(gates: Iterable[GateVerdict]) -> GateVerdict | None:
    return next((gate for gate in gates if not gate.passed), None)


def decide(
    gates: Sequence[GateVerdict],
    cause: str,
    *,
    past: bool,
    fired: AlertThen | None,
    rejudged: GateVerdict | None = None,
) -> ExplainedOutcome:
    """The outcome of the gates. `fired` is the alert that did open at this very instant.

    `rejudged` is the gate that would stop it by what is stored alone, where `gates` are of the verdict of that time.
    """
    stop = first_stop(gates)
    if fired is not None:
        return ExplainedOutcome(FIRED, f"It fired: {_because(fired.cause or cause)}.{_doubt(rejudged or stop)}")
    if stop is None:
        when = "It would have fired, if evaluated at that instant" if past else "It fires when it is evaluated next"
        return ExplainedOutcome(WOULD_RING, f"{when}: {_because(cause)}.")
    if stop.gate == OPEN_ALERT:
        verb = "changed" if past else "changes"
        amended = f"It {verb} the alert that is open already ({stop.found}), and opened no other."
        return ExplainedOutcome(AMENDS, f"{amended}{_doubt(rejudged)}")
    if stop.gate in (KNOWN, EXISTS):
        return ExplainedOutcome(stop.gate, f"It {'was' if past else 'is'} not judged: {_reason(stop)}.")
    return ExplainedOutcome(stop.gate, f"It {'did' if past else 'does'} not fire: {_reason(stop)}.")


def _doubt(stop: GateVerdict | None) -> str:
    """A sentence where today's verdict differs from what happened: it lacks what was not kept."""
    if stop is None:
        return ""
    return f" Not all that was known then is kept: evaluated again by what is stored, it would not: {_reason(stop)}."


def _because(cause: str) -> str:
    return cause.rstrip(".") or "every gate passed"


_REASONS: Mapping[str, str] = {
    "min_amount": "the excess of {found} is below the gate of {needed}",
    "min_percent": "the excess of {found} is below the gate of {needed}",
    "min_active_days": "it has {found} with spend, and the gate asks for {needed}",
    PENDING_FOR: "it has held for {found}, and the gate asks for {needed}",
    "reached": "{found} is below the level of {needed}",
}
"""The reasons by gate. Any other gate's `found` is a reason in itself."""


def _reason(gate: GateVerdict) -> str:
    needed = gate.needed.removeprefix("at least ")
    return _REASONS.get(gate.gate, "{found}").format(found=gate.found, needed=needed)
