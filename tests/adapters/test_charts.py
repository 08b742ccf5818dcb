"""Pictures of charts, drawn by the real library in its own process."""

from __future__ import annotations

import asyncio
import struct
import sys
from pathlib import Path

import pytest

from service.adapters.charts import ChildCharts
from service.domain.charts.chart import Chart, Theme
from service.domain.charts.specification import HEIGHT, WIDTH, specification
from service.workflows.ports.platform import ChartError
from tests.domain.charts.test_alert import BUDGET_CHART, RULE_CHART, anomaly
from tests.examples import cases

PNG = b"\x89PNG\r\n\x1a\n"


def child(program: str, *, time_limit: float = 20.0) -> ChildCharts:
    return ChildCharts((sys.executable, "-c", program), time_limit)


def size(png: bytes) -> tuple[int, int]:
    """Width and height, from the header chunk."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize("theme", cases(Theme))
@pytest.mark.parametrize("chart", [BUDGET_CHART, RULE_CHART, anomaly()], ids=["budget", "rule", "anomaly"])
async def test_a_chart_becomes_a_picture(chart: Chart, theme: Theme) -> None:
    png = await ChildCharts(time_limit=60).png(specification(chart, theme))
    assert png.startswith(PNG)
    width, height = size(png)
    assert 2 * WIDTH < width < 3 * WIDTH
    assert 2 * HEIGHT < height < 4 * HEIGHT


async def test_an_equal_chart_is_drawn_once_also_for_two_at_once(tmp_path: Path) -> None:
    log = tmp_path / "drawn"
    program = f"import sys; sys.stdin.read(); open({str(log)!r}, 'a').write('x'); sys.stdout.buffer.write({PNG!r})"
    charts = child(program)
    assert set(await asyncio.gather(charts.png({"a": 1}), charts.png({"a": 1}))) == {PNG}
    assert log.read_text() == "x"
    await charts.png({"a": 2})
    assert log.read_text() == "xx"


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("raise SystemExit('no such mark')", "no such mark"),
        ("print('not a picture')", "no picture"),
        ("import os; os.kill(os.getpid(), 9)", "ended with -9"),
    ],
)
async def test_a_failing_process_is_a_chart_that_cannot_be_drawn(program: str, said: str) -> None:
    with pytest.raises(ChartError, match=said):
        await child(program).png({})


async def test_a_process_that_hangs_is_ended_and_the_next_chart_is_drawn() -> None:
    program = f"import signal, sys\nif 'hang' in sys.stdin.read(): signal.pause()\nsys.stdout.buffer.write({PNG!r})\n"
    charts = child(program, time_limit=1.0)
    with pytest.raises(ChartError, match="within 1 s"):
        await charts.png({"title": "hang"})
    slower = child(program)
    assert await slower.png({"title": "go"}) == PNG


async def test_a_program_that_is_not_there_is_a_chart_that_cannot_be_drawn() -> None:
    with pytest.raises(ChartError, match="cannot be started"):
        await ChildCharts(("/nowhere/python",)).png({})
