"""How often a rule would fire for nothing, by its own past, and the setting that would keep what is promised.

Nobody says of each alert whether it was worth it. One counts as false unless a person has confirmed it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.alerts.evidence import RuleEvidence
from service.domain.backtest.backtest import Firing
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.values.severity import Severity
from service.domain.values.utc import DAY

QUARTER = 91 * DAY
LEAST_HISTORY = 60 * DAY
"""So much of a source has to be known before a rule is held against its past."""
EVERY = timedelta(weeks=1)
AGAIN = DAY
"""When a calibration is tried again that came to no end."""
PROMISED, PROMISED_CRITICAL = 6.5, 1.0
"""False alerts a quarter at most: one a fortnight of any severity, and one that is critical."""


@dataclass(frozen=True, slots=True)
class CalibratedSetting:
    """The replay at one setting: `setting` says what is set to what. `configured`: the rule is as it is.

    `alerts` opened; `confirmed` of them by a person; `critical` are those that became so and nobody has confirmed.
    """

    setting: str
    configured: bool
    alerts: int
    confirmed: int
    critical: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """A rule, as of `rule_version`, replayed over UTC days, both included.

    `settings`: from the one that fires most easily to the one that fires least.
    """

    rule_version: int
    made_at: datetime
    first_day: date
    last_day: date
    settings: tuple[CalibratedSetting, ...]

    @property
    def own(self) -> CalibratedSetting:
        return next(one for one in self.settings if one.configured)

    def false_a_quarter(self, of: CalibratedSetting) -> float:
        """The false alerts to expect in 91 days, at most: those that nobody has answered are among them."""
        return self._a_quarter(of.alerts - of.confirmed)

    def critical_a_quarter(self, of: CalibratedSetting) -> float:
        return self._a_quarter(of.critical)

    def keeps(self, of: CalibratedSetting) -> bool:
        """Whether this setting keeps what is promised."""
        return self.false_a_quarter(of) <= PROMISED and self.critical_a_quarter(of) <= PROMISED_CRITICAL

    @property
    def proposal(self) -> CalibratedSetting | None:
        """The first stricter setting that keeps the promise, else the strictest one that gives fewer; None: none."""
        if self.keeps(self.own):
            return None
        stricter = self.settings[self.settings.index(self.own) + 1 :]
        better = [one for one in stricter if one.alerts - one.confirmed < self.own.alerts - self.own.confirmed]
        return next((one for one in better if self.keeps(one)), better[-1] if better else None)

    def _a_quarter(self, count: int) -> float:
        return round(count * QUARTER / ((self.last_day - self.first_day) + DAY), 1)


def confirmed_days(rule_id: str, moves: Iterable[AlertEvent], answers: Iterable[Feedback]) -> frozenset[date]:
    """The UTC days of alerts of a rule that people took for real: answered as fixed, or acknowledged.

    Not those that anybody has called noise or expected.
    """
    said = list(answers)
    real = {day for one in said if one.kind is FeedbackKind.FIXED for day in _days(one)}
    for move in moves:
        evidence = move.alert.evidence
        if move.command is Command.ACKNOWLEDGE and isinstance(evidence, RuleEvidence) and evidence.rule_id == rule_id:
            real.update(evidence.days or (move.alert.opened_at.date(),))
    return frozenset(real - {day for one in said if one.kind is not FeedbackKind.FIXED for day in _days(one)})


def calibrated(setting: str, configured: bool, firings: Sequence[Firing], real: Collection[date]) -> CalibratedSetting:
    """Counts the alerts of a replay. One is confirmed by any day that it lasted and that people took for real."""
    alerts: list[tuple[Firing, Severity]] = []
    for firing in firings:
        if firing.raised:
            at = max(place for place, (first, _) in enumerate(alerts) if first.scope == firing.scope)
            alerts[at] = alerts[at][0], max(alerts[at][1], firing.severity, key=lambda one: one.rank)
        else:
            alerts.append((firing, firing.severity))
    false = [severity for first, severity in alerts if not _is_confirmed(first, real)]
    critical = sum(severity is Severity.CRITICAL for severity in false)
    return CalibratedSetting(setting, configured, len(alerts), len(alerts) - len(false), critical)


def _is_confirmed(firing: Firing, real: Collection[date]) -> bool:
    last = max(firing.at, firing.resolved_at or firing.at).date()
    return any(firing.day <= day <= last for day in real)


def _days(said: Feedback) -> list[date]:
    return [said.first_day + DAY * ago for ago in range((said.last_day - said.first_day).days + 1)]
