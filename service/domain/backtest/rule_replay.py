"""One setting of a rule over the past, step after step, by the functions that judge it live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.alerts.evidence import RuleEvidence
from service.domain.alerts.findings import Condition, Finding
from service.domain.backtest.backtest import Firing
from service.domain.backtest.glance import candidates, narrowed
from service.domain.backtest.history import ReplayStep
from service.domain.backtest.hours import Moment
from service.domain.backtest.ledger import Ledger
from service.domain.rules.assessment import assess_rule
from service.domain.rules.evaluation import evaluate
from service.domain.rules.memory import Episodes, Past, held_since
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule, Verdict
from service.domain.rules.view import SpendView
from service.domain.spend.lateness import is_found_late
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey

A_DAY = "a day"


class RuleReplay:
    """One setting of a rule, step after step."""

    def __init__(self, rule: Resource[Rule[object]]) -> None:
        self.rule = rule
        self.ledger = Ledger(self._describe)
        self.same_until: datetime | None = None
        """Up to when hours that exceed nothing change nothing of what was found; None: that would never do."""
        self._episodes: Episodes = {}
        self._excess: dict[str, dict[date, Money]] = {}
        self._closed = date.min
        self._assumed: frozenset[date] = frozenset()

    @property
    def watched(self) -> frozenset[ScopeKey]:
        """The scopes of open alerts."""
        return frozenset(alert.scope for alert in self.ledger.open_alerts)

    @property
    def is_watching(self) -> bool:
        return bool(self.ledger.open_alerts)

    @property
    def is_at_rest(self) -> bool:
        """Whether what follows is found as by a replay that begins here: no scope has an open alert or an episode."""
        return not self._episodes and not self.is_watching

    def rest(self) -> None:
        """Passes over a step in which no scope fires and none is open: nothing of it has to be remembered."""
        self._episodes, self.same_until = {}, None

    def take(self, step: ReplayStep, view: SpendView) -> Mapping[ScopeKey, Verdict]:
        self._closed, self._assumed = step.closed, step.assumed_days
        verdicts = evaluate(view, self.rule.spec, held_since=held_since(self._episodes))
        assessed = assess_rule(self.rule, view, verdicts, Past(self._episodes, self.ledger.latest))
        self._episodes = assessed.episodes
        for move, alert_id in self.ledger.carry_out(assessed.findings, view.as_of):
            if alert_id and move.finding.condition is not Condition.OVER:
                self._add_up(alert_id, move.finding)
        asked = self.watched.union(incident.found for incident in assessed.incidents)
        calms = [verdicts[scope].observation.calm for scope in asked if scope in verdicts]
        self.same_until = min((view.as_of + (calm.same_for if calm else timedelta()) for calm in calms), default=None)
        return verdicts

    def _add_up(self, alert_id: str, finding: Finding) -> None:
        """The alert's excess: as the kind has added it up, else the sum of its days, where it is one of single days."""
        evidence = finding.evidence
        assert isinstance(evidence, RuleEvidence)
        excess = self._excess.setdefault(alert_id, {})
        if evidence.unit.endswith(A_DAY) and evidence.days:
            excess[evidence.days[-1]] = evidence.excess
        by_days = Money.total(excess.values()) if excess else evidence.excess
        self.ledger.note_impact(alert_id, by_days if evidence.impact is None else evidence.impact)

    def _describe(self, event: AlertEvent) -> Firing:
        evidence = event.alert.evidence
        assert isinstance(evidence, RuleEvidence)
        day = min(evidence.days[-1] if evidence.days else self._closed, self._closed)
        return Firing(
            at=event.at,
            day=day,
            scope=event.alert.scope,
            name=evidence.scope_name,
            severity=event.alert.severity,
            raised=event.command is Command.RAISE,
            actual=evidence.actual,
            expected=evidence.expected,
            unit=evidence.unit,
            cause=evidence.cause,
            late=is_found_late(day, event.at) and day not in self._assumed,
            falls=evidence.falls,
            severity_reason=evidence.severity_reason,
        )


def take_moment(moment: Moment, replays: Sequence[RuleReplay], before: datetime | None) -> None:
    """An hour that nothing came of is not looked at: every scope would be found as it was at the hour `before`.

    While an alert is open, time alone may end it: once it has lasted as long as an incident has to, and once enough
    normal hours have come.
    """
    least_open = kind_of(replays[0].rule.spec).backtesting.least_open
    opened = [alert.opened_at for one in replays for alert in one.ledger.open_alerts]
    due = any(before is None or before < at + least <= moment.as_of for at in opened for least in least_open)
    may_end = any(one.same_until is not None and one.same_until <= moment.as_of for one in replays)
    if due or may_end or (moment.is_news and (opened or moment.may_fire)):
        take_step(moment.step(), replays)
    elif not moment.may_fire and not opened:
        for one in replays:
            one.rest()


def take_step(step: ReplayStep, replays: Sequence[RuleReplay]) -> None:
    """`replays` are in the order of their settings, the one that fires most easily first.

    What cannot fire there cannot fire at the others, so that only it looks at everything.
    """
    loosest, *others = replays
    if not any(one.is_watching for one in replays) and not _may_fire(step.view, loosest.rule.spec):
        for one in replays:
            one.rest()
        return
    found = _found(step, loosest)
    for one in others:
        scopes = found | one.watched
        if scopes:
            one.take(step, narrowed(step.view, one.rule.spec, scopes))
        else:
            one.rest()


def _may_fire(view: SpendView, rule: Rule[object]) -> bool:
    return kind_of(rule).backtesting.may_fire(view, rule)


def _found(step: ReplayStep, loosest: RuleReplay) -> frozenset[ScopeKey]:
    """The scopes that may fire at stricter settings, by a look at those that may at the loosest."""
    spec, view = loosest.rule.spec, step.view
    may = kind_of(spec).backtesting.exceeding(view, spec)
    if may is not None and not may | loosest.watched:
        loosest.rest()
        return frozenset()
    seen = view if may is None else narrowed(view, spec, may | loosest.watched)
    return candidates(spec, loosest.take(step, seen))
