"""A rule over the past: one step for every UTC day, by the functions that judge it live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from service.domain.alerts import AlertEvent, Command, RuleEvidence
from service.domain.backtest.backtest import MOST_FIRINGS, Firing, Progress, Result, SweepRow
from service.domain.backtest.glance import candidates, may_ring, merged, narrowed
from service.domain.backtest.history import Recorded, Step, steps
from service.domain.backtest.ledger import Ledger
from service.domain.backtest.sweep import Setting, settings_of
from service.domain.findings import Condition, Finding
from service.domain.money import Money
from service.domain.resources import Resource
from service.domain.rules.anomaly import Anomaly, Granularity
from service.domain.rules.assessing import Past, assess_rule, held_since
from service.domain.rules.episodes import Episodes
from service.domain.rules.evaluation import evaluate
from service.domain.rules.reach import days_needed
from service.domain.rules.rule import Rule, Verdict
from service.domain.rules.view import SpendView
from service.domain.scopes import ScopeKey

A_DAY = "a day"
HOURLY_DAYS = 28
"""The days at the end of a stretch whose hours are replayed: four weeks are 672 steps."""

ASSUMED = (
    "One step at the end of every UTC day, by what was known then. Live, a rule also looks at the day that runs.",
    "Nobody answers: no alert is acknowledged, resolved or given feedback, and what was answered since is left out.",
)
HOURS = (
    "Hours are replayed on the last {days} days of the stretch, one step for each, by the figures they have now: what"
    " was known of an hour is not kept by the hour. Before, days are judged alone."
)
BACKFILLED = "Backfilled days count as known 24 hours after they ended, by the figures they have now."


def replay_rule(rule: Resource[Rule[object]], recorded: Recorded, first: date, last: date, note: Progress) -> Result:
    """Judges the rule at the end of every day from `first` to `last`, and at every setting of its sweep."""
    settings = settings_of(rule.spec)
    replays = [RuleReplay(replace(rule, spec=setting.rule)) for setting in settings] or [RuleReplay(rule)]
    own = next((one for setting, one in zip(settings, replays, strict=False) if setting.configured), replays[0])
    looked_at = assumed = 0.0
    count = (last - first).days + 1
    stepped = 0
    for step in steps(merged(recorded, rule), first, last, days_needed(rule.spec)):
        stepped += 1
        take_step(step, replays)
        looked_at += step.dollars
        assumed += step.assumed
        note(min((step.closed - first).days + 1, count) / count)
    share = assumed / looked_at if looked_at > 0 else 0.0
    return Result(
        first_day=first,
        last_day=last,
        steps=stepped,
        tally=own.ledger.tally(first, last),
        firings=tuple(own.ledger.firings()[-MOST_FIRINGS:]),
        by_scope=own.ledger.by_scope(),
        assumed_share=round(share, 4),
        sweep=tuple(_row(setting, one, first, last) for setting, one in zip(settings, replays, strict=False)),
        assumptions=_assumptions(rule.spec, share),
    )


def take_step(step: Step, replays: Sequence[RuleReplay]) -> None:
    """`replays` are in the order of their settings, the one that rings most easily first.

    What cannot ring there cannot ring at the others, so that only it looks at everything.
    """
    loosest, *others = replays
    if not any(one.is_watching for one in replays) and not may_ring(step.view, loosest.rule.spec):
        for one in replays:
            one.rest()
        return
    verdicts = loosest.take(step, step.view)
    found = candidates(loosest.rule.spec, verdicts)
    for one in others:
        scopes = found | one.watched
        if scopes:
            one.take(step, narrowed(step.view, one.rule.spec, scopes))
        else:
            one.rest()


class RuleReplay:
    """One setting of a rule, step after step."""

    def __init__(self, rule: Resource[Rule[object]]) -> None:
        self.rule = rule
        self.ledger = Ledger(self._describe)
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

    def rest(self) -> None:
        """A step in which no scope rings and none is open: nothing of it has to be remembered."""
        self._episodes = {}

    def take(self, step: Step, view: SpendView) -> Mapping[ScopeKey, Verdict]:
        self._closed, self._assumed = step.closed, step.assumed_days
        verdicts = evaluate(view, self.rule.spec, held_since=held_since(self._episodes))
        assessed = assess_rule(self.rule, view, verdicts, Past(self._episodes, self.ledger.latest))
        self._episodes = assessed.episodes
        for move, alert_id in self.ledger.carry_out(assessed.findings, view.as_of):
            if alert_id and move.finding.condition is not Condition.OVER:
                self._add_up(alert_id, move.finding)
        return verdicts

    def _add_up(self, alert_id: str, finding: Finding) -> None:
        """The alert's excess: as the kind has added it up, else the sum of its days, where it is one of single days."""
        told = finding.evidence
        assert isinstance(told, RuleEvidence)
        excess = self._excess.setdefault(alert_id, {})
        if told.unit.endswith(A_DAY) and told.days:
            excess[told.days[-1]] = told.excess
        by_days = Money.total(excess.values()) if excess else told.excess
        self.ledger.note_impact(alert_id, by_days if told.impact is None else told.impact)

    def _describe(self, event: AlertEvent) -> Firing:
        told = event.alert.evidence
        assert isinstance(told, RuleEvidence)
        day = min(told.days[-1] if told.days else self._closed, self._closed)
        return Firing(
            at=event.at,
            day=day,
            scope=event.alert.scope,
            name=told.scope_name,
            severity=event.alert.severity,
            raised=event.command is Command.RAISE,
            actual=told.actual,
            expected=told.expected,
            unit=told.unit,
            cause=told.cause,
            late=day < self._closed and day not in self._assumed,
            falls=told.falls,
        )


def _row(setting: Setting, replay: RuleReplay, first: date, last: date) -> SweepRow:
    return SweepRow(setting.name, setting.configured, replay.ledger.tally(first, last))


def _assumptions(rule: Rule[object], assumed_share: float) -> tuple[str, ...]:
    hourly: Sequence[str] = (HOURS.format(days=HOURLY_DAYS),) if reads_hours(rule) else ()
    backfilled: Sequence[str] = (BACKFILLED,) if assumed_share > 0 else ()
    return (*ASSUMED, *hourly, *backfilled)


def reads_hours(rule: Rule[object]) -> bool:
    """Whether live it judges hours, too."""
    return isinstance(rule.params, Anomaly) and rule.params.granularity is not Granularity.DAYS
