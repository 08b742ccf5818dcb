from __future__ import annotations

from dataclasses import replace
from typing import cast

from service.domain.budgets.known import Known, live_windows
from service.domain.budgets.places import BudgetScope
from service.domain.forecasts.recent import HOURS, UTC_DAYS, RecentSpend
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from service.workflows.budgets.defects import FailedScopes
from service.workflows.budgets.forecasts import forecast_each
from tests.factories import budget, forecast_percent, resource, utc

NOW = utc("2026-11-16T12:00")
SOUND, POISON = Cell("wrkspc_eng", "claude", "apikey_1"), Cell("wrkspc_poison", "claude", "apikey_2")
EACH = resource("bdg_1", replace(budget("10.00", forecast_percent(100)), for_each=Dimension.WORKSPACE))
OTHER = resource("bdg_2", budget("10.00", forecast_percent(100)))


def test_one_scope_that_cannot_be_forecast_keeps_no_other_from_it() -> None:
    days, nothing = (1.0,) * UTC_DAYS, cast("tuple[float, ...]", ("poison",))
    recent = RecentSpend(NOW, {SOUND: days, POISON: nothing}, {}, (True,) * HOURS * UTC_DAYS)
    known, failed = Known([], [], {}, NOW), FailedScopes()
    spend = {window: dict.fromkeys(recent.spend, Spend(Money.of("1.00"))) for window in live_windows([EACH], known)}
    made = forecast_each([EACH, OTHER], spend, recent, known, failed)
    assert [place.scope for place in made] == [ScopeKey(Dimension.WORKSPACE, "wrkspc_eng")]
    whole = BudgetScope("bdg_2")
    assert set(failed.met) == {BudgetScope("bdg_1", ScopeKey(Dimension.WORKSPACE, "wrkspc_poison")), whole}

    sound = replace(recent, spend={SOUND: days})
    alone = forecast_each([EACH], spend, sound, known, FailedScopes())
    assert [made[place] for place in made] == [alone[place] for place in made]
