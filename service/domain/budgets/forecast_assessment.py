"""Thresholds on forecast: which levels a budget is heading past, and what of that is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.crossings import ThresholdBasis
from service.domain.alerts.evidence import ForecastEvidence
from service.domain.alerts.findings import Condition, Finding, over
from service.domain.budgets.assessment import Assessment, Known, WindowSpend, about, by_scope, forecast_evidence, judged
from service.domain.budgets.budget import Budget, Threshold
from service.domain.forecasts.forecast import Forecast, finished
from service.domain.forecasts.watch import Stand, Watch, WatchKey, watched
from service.domain.values import calendars
from service.domain.values.periods import Phase
from service.domain.values.resources import Resource


@dataclass(frozen=True, slots=True)
class Heading:
    """What one budget's thresholds on forecast come to, and how each of them stands now where it is not below."""

    findings: tuple[Finding, ...]
    watches: Mapping[WatchKey, Watch]


def has_forecast_thresholds(budget: Resource[Budget]) -> bool:
    return any(threshold.basis is ThresholdBasis.FORECAST for threshold in budget.spec.thresholds)


def assess_forecasts(budget: Resource[Budget], spend: WindowSpend, known: Known, actual: Sequence[Finding]) -> Heading:
    """One budget's findings on forecast. `actual` are those on spend, of the same instant: they come first."""
    if not budget.spec.enabled or not has_forecast_thresholds(budget):
        return Heading((), {})
    known = about(budget, known)
    ringing = {finding.fingerprint for finding in actual if finding.condition is Condition.RINGS}
    assessments = [
        ForecastAssessment(judge, period, scope, cells, known)
        for judge, period in judged(budget, known)
        for scope, cells in by_scope(judge, spend[period.window], known)
    ]
    findings = [assessment.finding_beside(ringing) for assessment in assessments]
    return Heading(
        tuple(finding for finding in findings if finding is not None),
        {
            key: watch
            for assessment in assessments
            for key, watch in assessment.watches.items()
            if watch.stand is not Stand.BELOW
        },
    )


class ForecastAssessment(Assessment):
    """One budget, one period, one scope: where it is heading.

    While the period is open each forecast is watched. Once it is over nothing new crosses: what is spent is a
    matter of the thresholds on spend.
    """

    basis: ClassVar[ThresholdBasis] = ThresholdBasis.FORECAST

    @property
    def watches(self) -> dict[WatchKey, Watch]:
        return {self._key(threshold): self._watch(threshold) for threshold in self.thresholds}

    def _key(self, threshold: Threshold) -> WatchKey:
        return WatchKey(self.budget.id, self.scope, threshold.key, self.start, self.terms)

    def _watch(self, threshold: Threshold) -> Watch:
        """As it stands after this forecast. Without one, and when the period is over, as it stood."""
        before = self.known.watches.get(self._key(threshold), Watch())
        made = self.forecast
        if self.phase is not Phase.OPEN or not isinstance(made, Forecast):
            return before
        zone = calendars.zone_of(self.spec.period.timezone)
        return watched(before, calendars.local_date(self.known.now, zone), made.mid, self.level(threshold))

    def is_crossed(self, threshold: Threshold) -> bool:
        """Whether this forecast may ring. Not where spend itself has passed the level and rung for it."""
        heard = [c.level for c in self.on_record(ThresholdBasis.ACTUAL) if c.period_start == self.start]
        return (
            self.phase is Phase.OPEN
            and isinstance(self.forecast, Forecast)
            and self._watch(threshold).stand is Stand.CROSSED
            and all(self.level(threshold) > level for level in heard)
        )

    def finding_beside(self, ringing: set[str]) -> Finding | None:
        """The finding, unless an alert on spend that is open, or about to be, inhibits it."""
        on_spend = self.fingerprint(self.start, ThresholdBasis.ACTUAL)
        if on_spend in ringing or self.open_alert(self.start, ThresholdBasis.ACTUAL) is not None:
            own = self.open_alert(self.start)
            return over(own, Reason.INHIBITED) if own is not None else None
        return self.finding()

    def forecast_evidence(self, threshold: Threshold) -> ForecastEvidence | None:
        if self.phase is Phase.CLOSING:
            made = finished(self.spent.total, self.known.now, 0)
            released = made.mid < self.level(threshold)
        elif isinstance(self.forecast, Forecast):
            made = self.forecast
            released = self._watch(threshold).stand is not Stand.CROSSED
        else:
            return None
        return replace(forecast_evidence(made, self.spec.amount), released=released)
