"""The first figures of a real organisation: what a start ends with, once the bill was read."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.sources.source import SourceKind
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Grain
from service.domain.values.utc import DAY, day_start
from service.workflows.budgets.suggest import suggest_budget
from service.workflows.ports.unit_of_work import Ports

_WHOLE: Grain = frozenset()


@dataclass(frozen=True, slots=True)
class FirstFigures:
    """The spend of the UTC month so far. `suggested` is None where a budget is there already, or nothing was spent."""

    organization: str
    spent: Spend
    suggested: Money | None


async def run_first_figures(ports: Ports) -> FirstFigures | None:
    """Returns those of the first enabled organisation that is real; None where none is, or it was not read yet."""
    now = ports.clock()
    async with ports.uow() as uow:
        sources = [one for one in await uow.sources.readable() if one.spec.enabled]
        real = [one for one in sources if one.spec.kind is not SourceKind.SIMULATOR]
        state = await uow.polling_states.get(real[0].id) if real else None
        if state is None or state.cost_read_at is None:
            return None
        tomorrow = day_start(now) + DAY
        month = Window(day_start(now).replace(day=1), tomorrow)
        spent = sum((await uow.facts.spend(real[0].id, month, now, _WHOLE)).values(), Spend())
        has_budgets = any(one.spec.source_id == real[0].id for one in await uow.budgets.readable())
        suggested = None if has_budgets else (await suggest_budget(uow, real[0].id, now)).amount
    return FirstFigures(state.organization_name or real[0].name, spent, suggested)
