"""`stale_source`: reading a source fails. The rule sets the patience; the alert fires with or without a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from service.domain.alerts.alert import Alert, Reason
from service.domain.alerts.evidence import StaleEvidence
from service.domain.alerts.findings import Condition, Finding, over
from service.domain.rules import limits
from service.domain.rules.feedback import NO_FEEDBACK, Feedback
from service.domain.rules.kind import RuleKind
from service.domain.rules.rule import Gates, Observation, Rule
from service.domain.rules.view import SpendView
from service.domain.sources.source import Source, SourceState
from service.domain.spend.lateness import USUAL_PATIENCE, Patience, is_stale
from service.domain.values.durations import format_duration
from service.domain.values.errors import Invalid
from service.domain.values.money import ZERO
from service.domain.values.plain_text import minute
from service.domain.values.resources import Resource
from service.domain.values.scopes import EVERYTHING, ORGANISATION, ScopeKey
from service.domain.values.severity import Severity

UNIT = "failed polls"
LONGEST_PATIENCE = timedelta(days=7)


def validate(rule: Rule[Patience]) -> None:
    params = rule.params
    limits.count(params.failures, "/params/failures")
    if not timedelta() < params.after <= LONGEST_PATIENCE:
        raise Invalid(f"must be above 0 and at most {LONGEST_PATIENCE.days} days", "/params/after")
    if rule.gates.min_amount or rule.gates.min_percent or rule.gates.min_active_days:
        raise Invalid("a source that cannot be read has no amount: its other gates are 0", "/gates")
    if rule.scope != EVERYTHING:
        raise Invalid("a source is read as a whole: leave the scope empty", "/scope")


def observe(
    view: SpendView, rule: Rule[Patience], feedback: Sequence[Feedback] = NO_FEEDBACK
) -> Mapping[ScopeKey, Observation]:
    """One observation of the whole source; none for a past instant, whose polls nobody has counted."""
    state = view.polling
    if state is None:
        return {}
    observation = Observation(
        candidate=is_stale(state, view.as_of, rule.params),
        actual=float(state.failures),
        expected=0.0,
        unit=UNIT,
        cause=_cause(state),
        inputs=(
            ("failures in a row", str(state.failures)),
            ("fires from", f"{rule.params.failures} failures or {format_duration(rule.params.after)}"),
        ),
        active_days=0,
    )
    return {ORGANISATION: observation}


def _cause(state: SourceState) -> str:
    if state.failing_since is None:
        return "The source is being read."
    return f"The source could not be read since {minute(state.failing_since)}: {state.failures} failures in a row."


KIND = RuleKind(
    name="stale_source",
    title="Source not read",
    description="Reading a source fails, so that nothing would fire.",
    params=Patience,
    observe=observe,
    validate=validate,
    gates=Gates(min_amount=ZERO, min_percent=Decimal(0), min_active_days=0),
    for_each=(),
    judges_spend=False,
)


# ------------------------------------------------------------------------------------------- the alert

FIRE_AGAIN = timedelta(days=1)
"""How long a person's resolve silences a source that goes on failing."""
Terms = tuple[Patience, Severity]
BUILT_IN: Terms = (USUAL_PATIENCE, Severity.ERROR)
"""Where no rule says otherwise."""


def stale_fingerprint(state: SourceState, now: datetime) -> str | None:
    """The fingerprint of an episode: the instant the cost report began to fail. One episode of failing is one alert.

    The number behind it counts the days since then, so that an alert somebody resolved fires again on the next one.
    """
    if state.failing_since is None:
        return None
    return f"{_episode(state)}:{(now - state.failing_since) // FIRE_AGAIN}"


def _episode(state: SourceState) -> str:
    since = state.failing_since.isoformat() if state.failing_since else "never"
    return f"source:{state.source_id}:stale:{since}"


def assess_source(
    source: Resource[Source] | None,
    state: SourceState,
    *,
    has_fired: Callable[[str], bool],
    open_alerts: Sequence[Alert],
    now: datetime,
    rules: Sequence[Resource[Rule[object]]] = (),
) -> list[Finding]:
    """At most one finding for the running episode, and an end for every other one still open.

    `rules` may be all there are. Of the source's enabled `stale_source` rules the most impatient decides when it fires,
    and of those that have lost patience the most severe decides. Disabled ones silence it, and end what is open.
    Without any, the built-in patience goes on: a deleted rule must not leave a blind monitor silent.
    """
    terms = _terms(state.source_id, rules)
    stale_alerts = [alert for alert in open_alerts if isinstance(alert.evidence, StaleEvidence)]
    endings = [(alert, _ending(alert, source, state, terms)) for alert in stale_alerts]
    ended = [over(alert, reason) for alert, reason in endings if reason is not None]
    running = [alert.fingerprint for alert, reason in endings if reason is None]
    lost = [severity for patience, severity in terms if is_stale(state, now, patience)]
    current = stale_fingerprint(state, now)
    if source is None or not source.spec.enabled or current is None or not lost:
        return ended
    most_severe = max(lost, key=lambda severity: severity.rank)
    if running:
        return ended + [_stale(source, state, known, most_severe, Condition.HOLDS) for known in running]
    return ended + [_stale(source, state, current, most_severe, Condition.FIRES)] * (not has_fired(current))


def _ending(alert: Alert, source: Resource[Source] | None, state: SourceState, terms: Sequence[Terms]) -> Reason | None:
    """Why an open alert is over; None while it goes on."""
    if source is None:
        return Reason.SOURCE_GONE
    if not source.spec.enabled:
        return Reason.SOURCE_DISABLED
    if not alert.fingerprint.startswith(_episode(state)):
        return Reason.RECOVERED
    return None if terms else Reason.RULE_DISABLED  # by deleted rules the built-in patience would go on


def _terms(source_id: str, rules: Iterable[Resource[Rule[object]]]) -> list[Terms]:
    """Every patience that counts for this source; none where its rules are all disabled."""
    own = [rule.spec for rule in rules if rule.spec.kind == KIND.name and rule.spec.source_id == source_id]
    if not own:
        return [BUILT_IN]
    return [(spec.params, spec.severity) for spec in own if spec.enabled and isinstance(spec.params, Patience)]


def _stale(
    source: Resource[Source], state: SourceState, fingerprint: str, severity: Severity, condition: Condition
) -> Finding:
    assert state.failing_since is not None
    return Finding(
        fingerprint=fingerprint,
        source_id=source.id,
        scope=ORGANISATION,
        severity=severity,
        condition=condition,
        reason=Reason.FIRST if condition is Condition.FIRES else Reason.NOTHING_NEW,
        evidence=StaleEvidence(
            source_name=source.name,
            failures=state.failures,
            failing_since=state.failing_since,
            last_success_at=state.cost_read_at,
            error=state.last_error or "",
        ),
    )
