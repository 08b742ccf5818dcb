"""A rule over the past: one step for every UTC day or hour of it, by the functions that judge it live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.alerts.evidence import RuleEvidence
from service.domain.alerts.findings import Condition, Finding
from service.domain.backtest.backtest import MOST_FIRINGS, Firing, Progress, Result, SweepRow
from service.domain.backtest.glance import candidates, merged, narrowed
from service.domain.backtest.history import Recorded, ReplayStep, steps
from service.domain.backtest.hours import Moment, learning_days, moments
from service.domain.backtest.ledger import Ledger
from service.domain.rules.assessment import assess_rule
from service.domain.rules.backtesting import Setting
from service.domain.rules.evaluation import days_needed, evaluate
from service.domain.rules.memory import Episodes, Past, held_since
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule, Verdict
from service.domain.rules.view import SpendView
from service.domain.spend.lateness import is_found_late
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey
from service.domain.values.utc import DAY

A_DAY = "a day"

DAILY = "One step at the end of every UTC day, by what was known then. Live, a rule also looks at the day that runs."
HOURLY = (
    "One step for every hour, a poll after its end, by what was known of the hours then. Days that are over are as they"
    " were known at the midnight before, or as their hours add up to more; the running day is what its hours add up to."
)
LATER_HOURS = (
    "Hours are replayed from {day} on: so many of so many keys are not held at once. Before, days are judged alone."
)
UNANSWERED = (
    "Nobody answers: no alert is acknowledged, resolved or given feedback, and what was answered since is left out."
)
BACKFILLED = "Backfilled days count as known 24 hours after they ended, by the figures they have now."


def replay_rule(rule: Resource[Rule[object]], recorded: Recorded, first: date, last: date, note: Progress) -> Result:
    """Judges the rule at the end of every day from `first` to `last`, and at every setting of its sweep.

    Where hours are recorded, it does so at the end of every hour of the days from which on they are.
    """
    settings, replays = _settings(rule)
    own = next((one for setting, one in zip(settings, replays, strict=False) if setting.configured), replays[0])
    hourly_from = _hourly_from(recorded, learning_days(rule.spec), first, last)
    stepped, share = _replayed(replays, merged(recorded, rule), (first, hourly_from, last), note)
    return Result(
        first_day=first,
        last_day=last,
        steps=stepped,
        tally=own.ledger.tally(first, last),
        firings=tuple(own.ledger.firings()[-MOST_FIRINGS:]),
        by_scope=own.ledger.by_scope(),
        assumed_share=round(share, 4),
        sweep=tuple(_row(setting, one, first, last) for setting, one in zip(settings, replays, strict=False)),
        assumptions=_assumptions(first, hourly_from, last, share),
    )


def firings_by_setting(
    rule: Resource[Rule[object]], recorded: Recorded, first: date, last: date, note: Progress
) -> list[tuple[Setting, list[Firing]]]:
    """All that a replay would have fired, at every setting of the rule's sweep."""
    settings, replays = _settings(rule)
    stretch = first, _hourly_from(recorded, learning_days(rule.spec), first, last), last
    _replayed(replays, merged(recorded, rule), stretch, note)
    return [(setting, one.ledger.firings()) for setting, one in zip(settings, replays, strict=False)]


def _settings(rule: Resource[Rule[object]]) -> tuple[tuple[Setting, ...], list[RuleReplay]]:
    """The settings of the rule's sweep, and a replay of each; of a rule without a sweep its own replay."""
    settings = tuple(kind_of(rule.spec).backtesting.sweep(rule.spec))
    return settings, [RuleReplay(replace(rule, spec=setting.rule)) for setting in settings] or [RuleReplay(rule)]


def _hourly_from(recorded: Recorded, learning: timedelta, first: date, last: date) -> date:
    """The first day whose hours are replayed; the day after the last one where none is."""
    if recorded.hours is None:
        return last + DAY
    return min(max(first, recorded.hours.first.date() + learning), last + DAY)


def _replayed(
    replays: Sequence[RuleReplay], recorded: Recorded, stretch: tuple[date, date, date], note: Progress
) -> tuple[int, float]:
    """How many steps there were, and which part of the dollars looked at is assumed.

    `stretch`: the first day, the first one by the hour, the last.
    """
    first, hourly_from, last = stretch
    loosest, count = replays[0].rule.spec, (last - first).days + 1
    stepped, dollars = 0, dict[date, tuple[float, float]]()
    for step in steps(recorded, first, min(hourly_from - DAY, last), days_needed(loosest)):
        stepped += 1
        dollars[step.closed] = step.dollars, step.assumed
        take_step(step, replays)
        note(((step.closed - first).days + 1) / count)
    if recorded.hours is not None:
        before: datetime | None = None
        for night, moment in moments(recorded, recorded.hours, loosest, hourly_from, last):
            stepped += 1
            if night.closed >= first:
                dollars[night.closed] = night.dollars, night.assumed
            take_moment(moment, replays, before)
            before = moment.as_of
            note(min(max((night.closed - first).days + 1, 0), count) / count)
    looked_at, assumed = (sum(each) for each in zip(*dollars.values(), strict=True))
    return stepped, assumed / looked_at if looked_at > 0 else 0.0


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


def _row(setting: Setting, replay: RuleReplay, first: date, last: date) -> SweepRow:
    return SweepRow(setting.name, setting.configured, replay.ledger.tally(first, last))


def _assumptions(first: date, hourly_from: date, last: date, assumed_share: float) -> tuple[str, ...]:
    daily = (DAILY,) if hourly_from > first else ()
    hourly = (HOURLY,) if hourly_from <= last else ()
    later = (LATER_HOURS.format(day=hourly_from),) if first < hourly_from <= last else ()
    backfilled = (BACKFILLED,) if assumed_share > 0 else ()
    return (*daily, *hourly, *later, UNANSWERED, *backfilled)
