"""What everything that draws does: the real library in its own process, and the stand-in."""

from __future__ import annotations

import pytest

from service.adapters.charts import PNG, ChildCharts
from service.domain.charts.chart import Theme
from service.domain.charts.specification import specification
from service.workflows.ports.platform import Charts
from tests.domain.charts.test_alert import BUDGET_CHART
from tests.fakes.ports import FakeCharts

EVERY = [pytest.param(ChildCharts(time_limit=60), id="vl-convert"), pytest.param(FakeCharts(), id="stand-in")]


@pytest.mark.parametrize("charts", EVERY)
async def test_a_specification_becomes_a_png_and_an_equal_one_the_same(charts: Charts) -> None:
    document = specification(BUDGET_CHART, Theme.LIGHT)
    png = await charts.png(document)
    assert png.startswith(PNG)
    assert await charts.png(document) == png
