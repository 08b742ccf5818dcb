"""The rules of one source evaluated on its spend, and what that means for its alerts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from service.domain.alerts.alert import Alert, Reason
from service.domain.alerts.evidence import RuleEvidence
from service.domain.alerts.findings import Finding, over
from service.domain.notify.routing.situation import Situation
from service.domain.rules.assessment import Assessed, assess_rule, fingerprint
from service.domain.rules.evaluation import evaluate, view_for
from service.domain.rules.feedback import Feedback, GivenFeedback, holding
from service.domain.rules.incidents import Incident, incidents
from service.domain.rules.memory import Episode, EpisodeKey, Past, held_since, late_days, told_before
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule, Verdict
from service.domain.rules.verdicts import Verdicts, objected
from service.domain.rules.view import SpendView
from service.domain.sources.source import Source, SourceState
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Dimension, ScopeKey
from service.workflows.charts.kept import with_judged_buckets
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.rules.view import Rules, load_view, load_view_in
from service.workflows.sources.naming import with_organisation

log = structlog.get_logger(__name__)

MOST_LOGGED = 5
"""Series named in a log line."""
SLOWEST_COMMIT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RuleVerdicts:
    """One rule's verdicts. `failed`: scopes that could not be evaluated for a defect, and what it said."""

    verdicts: Mapping[ScopeKey, Verdict]
    failed: Mapping[ScopeKey, str]


@dataclass(frozen=True, slots=True)
class FoundByRules:
    """`assessed`: whether the rules were evaluated, so that what they remember is as of now.

    `waits`: whether an objection is remembered of a rule whose gates count minutes.
    """

    findings: Sequence[Finding]
    assessed: bool
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """`firing` are the incidents as if no alert were open; `failed` the scopes that a defect kept from evaluation."""

    view: SpendView
    firing: tuple[Incident, ...]
    verdicts: Mapping[ScopeKey, Verdict]
    failed: Mapping[ScopeKey, str]


@dataclass(frozen=True, slots=True)
class _Defect:
    """A fault in our own code, met while a rule is evaluated."""

    words: str


async def find_by_rules(uow: UnitOfWork, situation: Situation, state: SourceState) -> FoundByRules:
    """The findings of the source's rules, where anything has happened since they were last evaluated.

    Remembers what the next evaluation needs, and keeps every objection for whoever asks later. That they were evaluated
    is noted by whoever has carried out all that was found.
    """
    now, source = situation.now, situation.configuration.sources.get(state.source_id)
    rules = _spend_rules(situation.configuration.rules.values(), state.source_id)
    watching = [rule for rule in rules if rule.spec.enabled] if source and source.spec.enabled else []
    unreadable = situation.unreadable("rule")
    for rule_id, error in unreadable.items():
        await uow.rule_failures.note(rule_id, ORGANISATION, error, now, judged_before=state.rules_assessed_at)
    open_alerts = [
        alert
        for alert in situation.open_alerts
        if isinstance(alert.evidence, RuleEvidence) and alert.evidence.rule_id not in unreadable
    ]
    findings = _orphans(open_alerts, rules, source)
    if source is None or not watching:
        await _forget(uow, rules)
        return FoundByRules(findings, assessed=False)
    given = await uow.feedback.of_rules(rule.id for rule in watching)
    if not is_due(state, watching, await _changed_at(uow, given), now):
        return FoundByRules(findings, assessed=False)
    view = await load_view_in(uow, source, watching, now, state, with_organisation(situation.names, state))
    before = await uow.episodes.of(rule.id for rule in rules)
    after: dict[EpisodeKey, Episode] = {}
    for rule in watching:
        said = holding(given, rule.id, now)
        assessed = await _assess(uow, rule, view, said, _of_rule(before, rule.id), open_alerts, state.rules_assessed_at)
        findings += await with_judged_buckets(uow, assessed.findings, open_alerts, rule.spec, view, said)
        after |= {EpisodeKey(rule.id, scope): episode for scope, episode in assessed.episodes.items()}
        await uow.verdicts.keep(assessed.kept)
    await uow.episodes.replace(before, after)
    waiting = {rule.id for rule in watching if _counts_minutes(rule)}
    return FoundByRules(findings, assessed=True, waits=any(key.rule_id in waiting for key in after))


async def _forget(uow: UnitOfWork, rules: Rules) -> None:
    """Forgets what rules remember that watch no more: what comes once they are enabled again is no old incident."""
    await uow.episodes.replace(await uow.episodes.of(rule.id for rule in rules), {})


def _spend_rules(rules: Iterable[Resource[Rule[object]]], source_id: str) -> list[Resource[Rule[object]]]:
    """Those that are evaluated on a source's spend; how a source is read is evaluated elsewhere."""
    return [rule for rule in rules if rule.spec.source_id == source_id and kind_of(rule.spec).judges_spend]


def is_due(state: SourceState, rules: Rules, changed_at: datetime | None, now: datetime) -> bool:
    """Whether the answer may differ from the last one: new figures, a new hour, something changed, or time that counts.

    `changed_at` is when a person changed a rule, or what it leans on, last.
    """
    last = state.rules_assessed_at
    if last is None or _hour(last) != _hour(now):
        return True
    read = [at for at in (state.last_success_at, state.cost_read_at, state.usage_read_at) if at is not None]
    waits = any(map(_counts_minutes, rules))
    # A change that was not committed yet at the last evaluation bears an earlier time than that.
    changed = changed_at is not None and changed_at >= last - SLOWEST_COMMIT
    return waits or changed or any(at >= last for at in read)


def _counts_minutes(rule: Resource[Rule[object]]) -> bool:
    return bool(rule.spec.gates.pending_for or rule.spec.gates.keep_firing_for)


async def _changed_at(uow: UnitOfWork, given: Sequence[GivenFeedback]) -> datetime | None:
    changes = [await uow.rules.last_write(), await uow.planned.last_write()]
    changes += [at for one in given for at in (one.feedback.given_at, one.withdrawn_at)]
    return max((at for at in changes if at is not None), default=None)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


async def preview(uow: UnitOfWork, rule: Resource[Rule[object]], now: datetime) -> Preview:
    """Evaluates a rule with all that is remembered of it, if it is stored: feedback, and since when it has held.

    Writes nothing, and notifies nobody.
    """
    source = await uow.sources.get(rule.spec.source_id)
    view = await load_view(uow, source, [rule], now)
    said = holding(await uow.feedback.of_rules([rule.id]), rule.id, now)
    episodes = {key.scope: episode for key, episode in (await uow.episodes.of([rule.id])).items()}
    evaluated = evaluate_rule(view, rule.spec, said, held_since(episodes))
    seen = view_for(rule.spec, view)
    late = late_days(seen, rule.spec, evaluated.verdicts)
    latest = await uow.alerts.latest([fingerprint(rule.id, scope) for scope in late])
    past = Past(episodes, {alert.scope: alert for alert in latest})
    verdicts = without_told(seen, rule.spec, said, evaluated.verdicts, past)
    return Preview(view, tuple(incidents(seen, verdicts)), verdicts, evaluated.failed)


def evaluate_rule(
    view: SpendView,
    rule: Rule[object],
    feedback: Sequence[Feedback],
    since: Mapping[ScopeKey, datetime],
    watched: Collection[ScopeKey] | None = None,
) -> RuleVerdicts:
    """One rule's verdicts. Where all scopes at once fail, each is evaluated alone, so that the others fire.

    `watched`: the scopes that are looked at whether the rule objects to them or not; None: all of them.
    """
    seen = view_for(rule, view)
    evaluated = _attempt(seen, rule, feedback, since, watched)
    if not isinstance(evaluated, _Defect):
        return RuleVerdicts(evaluated, {})
    alone = {
        key: _attempt(seen.only(cells), rule, feedback, since, watched)
        for dimension in Dimension
        for key, cells in seen.members(dimension, rule.scope).items()
    }
    return RuleVerdicts(
        {key: found[key] for key, found in alone.items() if not isinstance(found, _Defect) and key in found},
        {key: found.words for key, found in alone.items() if isinstance(found, _Defect)},
    )


def _attempt(
    view: SpendView,
    rule: Rule[object],
    feedback: Sequence[Feedback],
    since: Mapping[ScopeKey, datetime],
    watched: Collection[ScopeKey] | None,
) -> Verdicts | _Defect:
    """The verdicts, or the defect, whatever it is: one series must not keep the others from firing."""
    try:
        verdicts = evaluate(view, rule, feedback, since)
        for scope in verdicts if watched is None else watched:
            verdicts.get(scope)  # a defect has to show here
        return verdicts
    except Exception as error:
        cells = sorted(map(str, view.cells))[:MOST_LOGGED]
        log.exception("rule_failed", rule_kind=rule.kind, source_id=view.source_id, series=cells)
        return _Defect(f"{type(error).__name__}: {error}")


async def _assess(
    uow: UnitOfWork,
    rule: Resource[Rule[object]],
    view: SpendView,
    feedback: Sequence[Feedback],
    episodes: Mapping[ScopeKey, Episode],
    open_alerts: Sequence[Alert],
    judged_before: datetime | None,
) -> Assessed:
    latest = {alert.scope: alert for alert in open_alerts if _rule_id(alert) == rule.id}
    evaluated = evaluate_rule(view, rule.spec, feedback, held_since(episodes), episodes.keys() | latest.keys())
    for scope, error in evaluated.failed.items():
        await uow.rule_failures.note(rule.id, scope, error, view.as_of, judged_before=judged_before)
    seen = view_for(rule.spec, view)
    asked = episodes.keys() | late_days(seen, rule.spec, evaluated.verdicts).keys()
    ended = await uow.alerts.latest([fingerprint(rule.id, scope) for scope in asked if scope not in latest])
    past = Past(episodes, {alert.scope: alert for alert in ended} | latest, frozenset(evaluated.failed))
    verdicts = without_told(seen, rule.spec, feedback, evaluated.verdicts, past)
    return assess_rule(rule, seen, verdicts, past, feedback)


def without_told(
    view: SpendView,
    rule: Rule[object],
    feedback: Sequence[Feedback],
    verdicts: Mapping[ScopeKey, Verdict],
    past: Past,
) -> Mapping[ScopeKey, Verdict]:
    """The verdicts, those without days read late of the scopes of which such a day was told already."""
    told = told_before(view, rule, verdicts, past.latest)
    if not told:
        return verdicts
    in_time = evaluate_rule(replace(view, late_since=None), rule, feedback, held_since(past.episodes), told).verdicts
    return Verdicts(verdicts, objected(verdicts), lambda scope: (in_time if scope in told else verdicts)[scope])


def _of_rule(episodes: Mapping[EpisodeKey, Episode], rule_id: str) -> dict[ScopeKey, Episode]:
    return {key.scope: episode for key, episode in episodes.items() if key.rule_id == rule_id}


def _orphans(open_alerts: Sequence[Alert], rules: Rules, source: Resource[Source] | None) -> list[Finding]:
    """Ends of the alerts whose rule or source is gone or disabled."""
    enabled = {rule.id: rule.spec.enabled for rule in rules}
    endings = [(alert, _end(enabled.get(_rule_id(alert) or ""), source)) for alert in open_alerts]
    return [over(alert, reason) for alert, reason in endings if reason is not None]


def _end(rule_enabled: bool | None, source: Resource[Source] | None) -> Reason | None:
    """Why an alert of a rule (None: a deleted one) is over; None where the rule still watches."""
    if source is None:
        return Reason.SOURCE_GONE
    if not source.spec.enabled:
        return Reason.SOURCE_DISABLED
    if rule_enabled is None:
        return Reason.RULE_GONE
    return None if rule_enabled else Reason.RULE_DISABLED


def _rule_id(alert: Alert) -> str | None:
    return alert.evidence.rule_id if isinstance(alert.evidence, RuleEvidence) else None
