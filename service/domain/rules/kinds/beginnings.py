"""Spend that begins, or begins again: what `first_seen` and `dormant_woke` have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.domain.rules import history
from service.domain.rules.feedback import Feedback, is_expected
from service.domain.rules.history import Row
from service.domain.rules.rule import DOLLARS, Gates, Observation
from service.domain.rules.view import SpendView
from service.domain.rules.wording import day, days, dollars, subject
from service.domain.values.durations import format_duration
from service.domain.values.errors import Invalid
from service.domain.values.scopes import Dimension, Scope, ScopeKey
from service.domain.values.utc import DAY


@dataclass(frozen=True, slots=True)
class Beginning:
    """One scope's daily dollars, judged by all that it has spent from the day at `place` on.

    `last`: the place of the last day whose spend is told.
    """

    view: SpendView
    scope: Scope
    key: ScopeKey
    row: Row
    place: int
    last: int

    def is_news(self, within_days: int, feedback: Sequence[Feedback]) -> bool:
        """It lies within the last days, the last told one included, or was read late; nobody has called it expected."""
        recent = self.last - self.place < within_days or self.place in self.view.closed_days
        return recent and not is_expected(feedback, self.key, self.view.as_of, self.view.days[self.place])

    def news(self, past: str, active_days: int, announced: Mapping[ScopeKey, Row]) -> Observation:
        """An objection to everything above what was planned. `past` says how it was before: "it was idle"."""
        planned = history.total(announced.get(self.key, ())[self.place :])
        return self._observation(past, active_days, planned, candidate=self._spent > planned)

    def usual(self, past: str, active_days: int) -> Observation:
        """No objection: whatever it spends is what it spends by now."""
        return self._observation(past, active_days, self._spent, candidate=False)

    @property
    def _spent(self) -> float:
        return history.total(self.row[self.place :])

    def _observation(self, past: str, active_days: int, expected: float, *, candidate: bool) -> Observation:
        start = day(self.view.days[self.place])
        who = subject(self.view, self.scope, self.key)
        return Observation(
            candidate=candidate,
            actual=self._spent,
            expected=expected,
            unit=DOLLARS,
            cause=f"{who} has spent {dollars(self._spent)} since {start}; {past}.",
            inputs=(("spent since", start), ("spent", dollars(self._spent)), ("expected", dollars(expected))),
            active_days=active_days,
            days=tuple(self.view.days[self.place :]),
        )


def check_wait(gates: Gates, within_days: int, what: str) -> None:
    """Raises Invalid for a wait that is longer than what it waits for lasts."""
    if gates.pending_for >= within_days * DAY:
        wait = format_duration(gates.pending_for)
        raise Invalid(
            f"never fires: {what} for {days(within_days)} alone, and it would wait {wait}; give a shorter pending_for "
            "or more within_days",
            "/gates/pending_for",
        )


def named(rows: Mapping[ScopeKey, list[float]]) -> dict[ScopeKey, list[float]]:
    """Leaves out the spend that no model or API key can be named for: it is nobody's."""
    return {key: row for key, row in rows.items() if key.id or key.dimension is Dimension.ORGANISATION}
