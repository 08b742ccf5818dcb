"""`stale_source`: reading a source fails. `service.domain.sources.source` decides, with this rule's patience."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from service.domain.rules import limits
from service.domain.rules.feedback import NO_FEEDBACK, Feedback
from service.domain.rules.rule import Gates, Observation, Rule
from service.domain.rules.view import SpendView
from service.domain.sources.source import Patience, SourceState, is_stale
from service.domain.values.durations import format_duration
from service.domain.values.errors import Invalid
from service.domain.values.money import ZERO
from service.domain.values.plain_text import minute
from service.domain.values.scopes import ORGANISATION, ScopeKey

DEFAULT_GATES = Gates(min_amount=ZERO, min_percent=Decimal(0), min_active_days=0)
UNIT = "failed polls"
LONGEST_PATIENCE = timedelta(days=7)


def validate(rule: Rule[Patience]) -> None:
    params = rule.params
    limits.count(params.failures, "/params/failures")
    if not timedelta() < params.after <= LONGEST_PATIENCE:
        raise Invalid(f"must be above 0 and at most {LONGEST_PATIENCE.days} days", "/params/after")
    if rule.gates.min_amount or rule.gates.min_percent or rule.gates.min_active_days:
        raise Invalid("a source that cannot be read has no amount: its other gates are 0", "/gates")


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
            ("rings from", f"{rule.params.failures} failures or {format_duration(rule.params.after)}"),
        ),
        active_days=0,
    )
    return {ORGANISATION: observation}


def _cause(state: SourceState) -> str:
    if state.failing_since is None:
        return "The source is being read."
    return f"The source could not be read since {minute(state.failing_since)}: {state.failures} failures in a row."
