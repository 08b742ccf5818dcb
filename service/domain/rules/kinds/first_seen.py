"""`first_seen`: a workspace, model or API key that has never spent before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Annotated

from service.domain.rules import history, limits
from service.domain.rules.feedback import NO_FEEDBACK, Feedback
from service.domain.rules.history import Row
from service.domain.rules.kind import KindWords, Lookback, RuleKind
from service.domain.rules.kinds.beginnings import Beginning, check_wait, named
from service.domain.rules.planned import extras
from service.domain.rules.rule import Gates, Observation, Rule
from service.domain.rules.view import SpendView
from service.domain.rules.wording import day
from service.domain.values.errors import Invalid
from service.domain.values.names import NOUNS
from service.domain.values.parameters import Parameter
from service.domain.values.scopes import Dimension, ScopeKey

NEW_WHAT = Parameter(
    "Fires for a new", "One that never spent before.", {one.value: noun for one, noun in NOUNS.items()}
)
NEW_DAYS = Parameter("Days that it counts as new", "For so many, today included, its spend fires.")


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """`dimension`: a new what. `within_days`: for how long, today included, it is new."""

    dimension: Annotated[Dimension, NEW_WHAT] = Dimension.API_KEY
    within_days: Annotated[int, NEW_DAYS] = 7


def validate(rule: Rule[FirstSeen]) -> None:
    params = rule.params
    limits.window(params.within_days, "/params/within_days")
    check_wait(rule.gates, params.within_days, "what is new fires")
    if params.dimension is Dimension.ORGANISATION:
        raise Invalid("a new workspace, model or api_key: there is only one organisation", "/params/dimension")


def observe(
    view: SpendView, rule: Rule[FirstSeen], feedback: Sequence[Feedback] = NO_FEEDBACK
) -> Mapping[ScopeKey, Observation]:
    """One observation per member that has spent. Its amount is all that it has spent since it was first seen.

    `active_days` are the days before on which any member of the dimension spent: where none did, everything is new
    and nothing is news.
    """
    params = rule.params
    announced = extras(view.planned, view.members(params.dimension, rule.scope), view.days)
    rows = named(view.series(params.dimension, rule.scope, lambda figures: figures.spend))
    active = _active_before(rows.values(), len(view.days))
    last = view.last_told(rule.grain | {params.dimension})
    observations = {}
    for key, row in rows.items():
        place = history.begins(row)
        if place < len(row):
            begun = Beginning(view, rule.scope, key, row, place, last)
            observations[key] = (
                begun.news("it had never spent before", active[place], announced)
                if begun.is_news(params.within_days, feedback)
                else begun.usual(f"it was new on {day(view.days[place])}", active[place])
            )
    return observations


def _active_before(rows: Iterable[Row], length: int) -> list[int]:
    """For every place: on how many days before it anybody spent."""
    spent = [False] * length
    for row in rows:
        for place, value in enumerate(row):
            spent[place] = spent[place] or value > 0
    return list(accumulate(spent, initial=0))


KIND = RuleKind(
    name="first_seen",
    title="First seen",
    description="A workspace, model or API key spends that has never spent before.",
    params=FirstSeen,
    observe=observe,
    validate=validate,
    gates=Gates(min_percent=Decimal(0), min_active_days=7),
    for_each=(),
    levels=lambda params: (params.dimension,),
    lookback=lambda params: Lookback({"within_days": params.within_days}, ever=True),
    words=KindWords("{who} has begun to spend: {spent} {when}"),
    expects_planned=True,
)
