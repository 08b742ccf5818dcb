"""Why a budget's threshold fired or did not: spend or forecast against its level, and what has fired before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.domain.alerts.crossings import Crossing, ThresholdBasis
from service.domain.alerts.evidence import BudgetEvidence, ForecastEvidence
from service.domain.alerts.findings import Condition
from service.domain.budgets.assessment import Assessment
from service.domain.budgets.budget import Budget, Threshold
from service.domain.budgets.forecasting import ForecastAssessment
from service.domain.budgets.known import Known, WindowSpend, about, by_scope, judged
from service.domain.explain.explanation import KNOWN, AlertThen, Explanation, decide, enabled
from service.domain.forecasts.forecast import Forecast, Missing, NoForecast
from service.domain.forecasts.watch import DAYS_TO_CROSS, Stand
from service.domain.rules.rule import GateVerdict
from service.domain.values.money import Money
from service.domain.values.names import describe_scope
from service.domain.values.periods import Phase
from service.domain.values.plain_text import clean, minute, percentage, short_days
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, ScopeKey


@dataclass(frozen=True, slots=True)
class BudgetCase:
    """One budget at `known.now`, and what was known and remembered then.

    `fired` are the crossings of this very instant, which `known` is without; `alerts` those open then, by fingerprint.
    `read` says when the bill was read, or that it was not: `is_read`.
    """

    budget: Resource[Budget]
    source_enabled: bool
    spend: WindowSpend
    known: Known
    fired: Sequence[Crossing]
    alerts: Mapping[str, AlertThen]
    is_past: bool
    is_read: bool
    read: str


def explain_budget(case: BudgetCase) -> list[Explanation]:
    """One answer for every scope, live period and threshold; the open period first, thresholds by level."""
    known = about(case.budget, case.known)
    periods = judged(case.budget, known)
    places = [
        _Place(case, Assessment(*place), ForecastAssessment(*place))
        for judge, period in reversed(periods)
        for scope, cells in by_scope(judge, case.spend[period.window], known)
        for place in [(judge, period, scope, cells, known)]
    ]
    return [answer for place in places for answer in place.answers()] if periods else [_outside(case)]


def unseen(case: BudgetCase, scope: ScopeKey) -> Explanation:
    return _unknown(case, scope, "the budget does not look at it, or nothing was spent there")


def unassessed(budget: str, error: str, *, past: bool) -> Explanation:
    """The one answer about a budget that a defect keeps from being assessed: the defect's words."""
    gates = (GateVerdict(KNOWN, False, f"a defect: {clean(error, 200)}", "spend that can be compared"),)
    return Explanation(ORGANISATION, budget, decide(gates, "", past=past, fired=None), gates)


def _outside(case: BudgetCase) -> Explanation:
    return _unknown(case, ORGANISATION, "no period of the budget runs at that instant")


def _unknown(case: BudgetCase, scope: ScopeKey, why: str) -> Explanation:
    gates = (_enabled(case), GateVerdict(KNOWN, False, why, "spend in a period that runs"))
    return Explanation(scope, _name(case, scope), decide(gates, "", past=case.is_past, fired=None), gates)


def _enabled(case: BudgetCase) -> GateVerdict:
    return enabled(itself=case.budget.spec.enabled, source=case.source_enabled)


def _name(case: BudgetCase, scope: ScopeKey) -> str:
    return clean(describe_scope(case.budget.spec.scope, scope, case.known.names), 200)


@dataclass(frozen=True, slots=True)
class _Place:
    """One scope of the budget in one period."""

    case: BudgetCase
    on_spend: Assessment
    on_forecast: ForecastAssessment

    def answers(self) -> list[Explanation]:
        return [
            self._answer(assessed, threshold)
            for assessed in (self.on_spend, self.on_forecast)
            for threshold in assessed.thresholds
        ]

    def _answer(self, assessed: Assessment, threshold: Threshold) -> Explanation:
        level, figure = assessed.level(threshold), self._figure(threshold)
        cause = self._cause(threshold, figure)
        gates = (
            _enabled(self.case),
            GateVerdict(KNOWN, self.case.is_read, self.case.read, "the bill read"),
            *self._reached(threshold, figure, level),
            self._already_rung(assessed, threshold),
            self._higher_rung(assessed, threshold),
            *self._inhibited(threshold, level),
        )
        alert = self.case.alerts.get(assessed.fingerprint(assessed.start))
        fired = alert if self._fires_now(assessed, threshold) else None
        return Explanation(
            scope=assessed.scope,
            name=_name(self.case, assessed.scope),
            outcome=decide(gates, cause, past=self.case.is_past, fired=fired),
            gates=gates,
            cause=cause,
            actual=figure,
            expected=level,
            excess=figure - level if figure is not None else None,
            inputs=self._inputs(threshold, level),
            alert=alert,
            period=assessed.period,
            threshold=threshold.key,
        )

    def _fires_now(self, assessed: Assessment, threshold: Threshold) -> bool:
        """Whether this is the highest level that was crossed at this very instant."""
        crossed = [
            crossing
            for crossing in self.case.fired
            if crossing.scope == assessed.scope
            and crossing.basis is threshold.basis
            and crossing.terms == assessed.terms
            and crossing.period_start == assessed.start
        ]
        highest = max(crossed, key=lambda crossing: crossing.level.usd, default=None)
        return highest is not None and highest.threshold == threshold.key

    # ---------------------------------------------------------------------------------------- gates

    def _noted(self, assessed: Assessment) -> BudgetEvidence | None:
        """Returns what an alert noted at this instant."""
        alert = self.case.alerts.get(assessed.fingerprint(assessed.start))
        if alert is None or alert.alert.changed_at != self.case.known.now:
            return None
        noted = alert.alert.evidence
        return noted if isinstance(noted, BudgetEvidence) else None

    def _spent(self) -> Money:
        """Returns what an alert noted at this instant, else what is kept of it, without the hour that was running."""
        noted = self._noted(self.on_spend) or self._noted(self.on_forecast)
        return noted.spent if noted else self.on_spend.spent.total

    def _noted_forecast(self) -> ForecastEvidence | None:
        noted = self._noted(self.on_forecast)
        return noted.forecast if noted else None

    def _forecast(self) -> Forecast | ForecastEvidence | None:
        """Returns the forecast that an alert noted at this instant, else the one that follows from what is kept."""
        made = self.on_forecast.forecast
        again = made if isinstance(made, Forecast) and self.on_forecast.phase is Phase.OPEN else None
        return self._noted_forecast() or again

    def _is_crossed(self, assessed: Assessment, threshold: Threshold) -> bool:
        if threshold.basis is ThresholdBasis.FORECAST:
            noted = self._noted_forecast()
            return noted.mid >= assessed.level(threshold) if noted else assessed.is_crossed(threshold)
        spent = self._spent()
        return bool(spent) and spent >= assessed.level(threshold)

    def _figure(self, threshold: Threshold) -> Money | None:
        if threshold.basis is ThresholdBasis.ACTUAL:
            return self._spent()
        made = self._forecast()
        return made.mid if made else None

    def _reached(self, threshold: Threshold, figure: Money | None, level: Money) -> tuple[GateVerdict, ...]:
        needed = f"at least {level.display()}"
        if threshold.basis is ThresholdBasis.ACTUAL:
            passed = self._is_crossed(self.on_spend, threshold)
            return (GateVerdict("reached", passed, self._spent().display(), needed),)
        reached = figure is not None and figure >= level and bool(figure)
        shown = figure.display() if figure is not None else "nothing forecast"
        return self._ready(figure), GateVerdict("reached", reached, shown, needed), self._confirmed(threshold)

    def _ready(self, figure: Money | None) -> GateVerdict:
        made, found = self.on_forecast.forecast, "a forecast"
        if self._noted_forecast():
            found = "the forecast that the alert noted"
        elif isinstance(made, NoForecast):
            found = f"nothing can be forecast: {MISSING[made.reason]}"
        elif figure is None:
            found = "nothing is forecast: the period is over"
        elif self.case.is_past:
            found = "a forecast made again from what is kept, without the hour that was running"
        return GateVerdict("forecast_ready", figure is not None, found, "a forecast of the period's end")

    def _confirmed(self, threshold: Threshold) -> GateVerdict:
        """A forecast has to stay above the level. In the past only a crossing tells of that."""
        watch = next(watch for key, watch in self.on_forecast.watches.items() if key.threshold == threshold.key)
        needed = f"reached on {DAYS_TO_CROSS} days in a row"
        fired = self.case.is_past and self._fires_now(self.on_forecast, threshold)
        if watch.stand is Stand.CROSSED or fired:
            return GateVerdict("confirmed", True, needed, needed)
        found = f"the forecast has been above it since {watch.since}" if watch.since else "the forecast is below it"
        if self.case.is_past and watch.since:
            found = "since when the forecast had been above it was not kept, and cannot be known exactly"
        return GateVerdict("confirmed", False, found, needed)

    def _already_rung(self, assessed: Assessment, threshold: Threshold) -> GateVerdict:
        crossing, needed = assessed.recorded.get(threshold.key), "not yet in this period"
        if crossing is None:
            return GateVerdict("already_rung", True, needed, needed)
        found = f"this level fired on {minute(crossing.crossed_at)}, and fires once in a period"
        return GateVerdict("already_rung", False, found, needed)

    def _higher_rung(self, assessed: Assessment, threshold: Threshold) -> GateVerdict:
        own, needed = assessed.level(threshold), "no higher level has fired in this period"
        fired = max((c.level for c in assessed.recorded.values() if c.threshold != threshold.key), default=None)
        if fired is not None and fired >= own:
            return GateVerdict("higher_rung", False, f"the level of {fired.display()} has fired already", needed)
        new = [other for other in assessed.thresholds if other.key not in assessed.recorded]
        loudest = next((other for other in reversed(new) if self._is_crossed(assessed, other)), threshold)
        if loudest != threshold and assessed.level(loudest) >= own:
            found = f"the level of {assessed.level(loudest).display()} is reached as well, and fires for both"
            return GateVerdict("higher_rung", False, found, needed)
        return GateVerdict("higher_rung", True, needed, needed)

    def _inhibited(self, threshold: Threshold, level: Money) -> tuple[GateVerdict, ...]:
        if threshold.basis is ThresholdBasis.ACTUAL:
            return ()
        spent, needed = self.on_spend, "spend has not fired for this level, and no alert on it is open"
        finding, found = spent.finding(), needed
        fired = [c.level for c in spent.recorded.values() if c.level >= level]
        if spent.open_alert(spent.start) is not None or (finding and finding.condition is Condition.FIRES):
            found = "an alert on what is spent covers this period"
        elif fired:
            found = f"spend itself has fired for {max(fired).display()}"
        return (GateVerdict("inhibited", found == needed, found, needed),)

    # ---------------------------------------------------------------------------------------- words

    def _cause(self, threshold: Threshold, figure: Money | None) -> str:
        name, period = _name(self.case, self.on_spend.scope), self.on_spend.period.label
        who, when = name[:1].upper() + name[1:], f"the {period}" if period.startswith(("week ", "last ")) else period
        if figure is None:
            return f"{who}: nothing is forecast of {when}."
        amount = self.case.budget.spec.amount
        share = f", {percentage(figure.ratio_to(amount) * 100)}" if amount else ""
        verb = "spent" if threshold.basis is ThresholdBasis.ACTUAL else "is heading for"
        return f"{who} {verb} {figure.display()} of {amount.display()}{share}, in {when}."

    def _inputs(self, threshold: Threshold, level: Money) -> tuple[tuple[str, str], ...]:
        made, spec = self._forecast(), self.case.budget.spec
        shown = [("budget", spec.amount.display()), ("threshold", threshold.key), ("level", level.display())]
        shown.append(("spent", self._spent().display()))
        if threshold.basis is ThresholdBasis.FORECAST and made:
            shown.append(("forecast", f"{made.mid.display()} ({made.low.display()} to {made.high.display()})"))
            quiet = [("public holidays to come", short_days(made.quiet_days))] if made.quiet_days else []
            shown += quiet
        return tuple(shown)


MISSING: Mapping[Missing, str] = {
    Missing.NO_SPEND: "nothing has been spent lately",
    Missing.SHORT_HISTORY: "too few complete days are known",
    Missing.NO_END: "a rolling period has no end",
    Missing.TOO_FAR: "the period ends too far away",
}
"""Why nothing is forecast, in words."""
