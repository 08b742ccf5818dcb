"""A file of series becomes an organisation whose past is the file."""

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from service.adapters.prices import list_price_book
from service.simulator.world.records import DAY, HOUR
from service.simulator.world.replay import load_replay
from service.simulator.world.world import StreamWorld
from tests.simulator.client import COST, NOW, Simulation, day, span

PRICES = list_price_book()


def hourly_file(folder: Path) -> Path:
    """Two days of "web" (10 an hour, 30 in the last hour) and one day of "cron job" (5 an hour)."""
    begin = datetime(2019, 5, 1, tzinfo=UTC)
    web = [(begin + hour * HOUR, 30 if hour == 47 else 10) for hour in range(48)]
    cron = [(begin + hour * HOUR, 5) for hour in range(24)]
    lines = ["series,date,y"]
    lines += [f"web,{at:%Y-%m-%dT%H:%MZ},{y}" for at, y in web]
    lines += [f"cron job,{at:%Y-%m-%dT%H:%MZ},{y}" for at, y in cron]
    path = folder / "hourly.csv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def output(world: StreamWorld, workspace: str, start: datetime, now: datetime = NOW + 30 * DAY) -> int:
    found = world.usage(start, start + HOUR, now)
    return sum(each.quantities.output for each in found if each.stream.workspace_id == workspace)


def test_each_series_is_a_workspace_with_a_key(tmp_path: Path) -> None:
    world = load_replay(hourly_file(tmp_path), PRICES, NOW)
    assert [each.name for each in world.workspaces()] == ["Default", "web", "cron job"]
    assert [(key.id, key.workspace_id) for key in world.api_keys()] == [
        ("apikey_web", "wrkspc_web"),
        ("apikey_cron_job", "wrkspc_cron_job"),
    ]


def test_the_last_value_of_the_file_is_the_current_hour_and_nothing_lies_before_the_first(
    tmp_path: Path,
) -> None:
    world = load_replay(hourly_file(tmp_path), PRICES, NOW)
    current = NOW.replace(minute=0)
    usual = output(world, "wrkspc_web", current - HOUR)
    assert output(world, "wrkspc_web", current) == pytest.approx(3 * usual, abs=2)
    assert output(world, "wrkspc_web", current - 47 * HOUR) == usual
    assert output(world, "wrkspc_web", current - 48 * HOUR) == 0


def test_time_goes_on_by_starting_the_series_over(tmp_path: Path) -> None:
    world = load_replay(hourly_file(tmp_path), PRICES, NOW)
    current = NOW.replace(minute=0)
    assert output(world, "wrkspc_web", current + HOUR) == output(world, "wrkspc_web", current - 47 * HOUR)
    assert output(world, "wrkspc_web", current + 48 * HOUR) == output(world, "wrkspc_web", current)


def test_a_chosen_instant_of_the_file_is_now(tmp_path: Path) -> None:
    instant = datetime(2019, 5, 2, 22, tzinfo=UTC)
    world = load_replay(hourly_file(tmp_path), PRICES, NOW, instant=instant)
    following = NOW.replace(minute=0) + HOUR
    usual = output(world, "wrkspc_web", following - HOUR)
    assert output(world, "wrkspc_web", following) == pytest.approx(3 * usual, abs=2)


async def test_the_mean_day_costs_what_was_asked_for_on_the_bill(tmp_path: Path) -> None:
    path = tmp_path / "daily.csv"
    path.write_text("series,date,y\n" + "".join(f"calm,2020-01-0{n},{n}\n" for n in range(1, 6)))
    simulation = Simulation(load_replay(path, PRICES, NOW, Decimal(300)))
    body = (await simulation.get(COST, span(day(13), day(18)))).json()
    amounts = [Decimal(row["amount"]) for bucket in body["data"] for row in bucket["results"]]
    expected = [Decimal(10_000) * number for number in (1, 2, 3, 4)]  # the fifth value is today's
    assert len(amounts) == 4
    assert all(abs(found / wanted - 1) < Decimal("0.001") for found, wanted in zip(amounts, expected, strict=True))


def test_negative_values_count_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("series,date,y\ncalm,2020-01-01,-4\ncalm,2020-01-02,4\n")
    world = load_replay(path, PRICES, NOW)
    assert output(world, "wrkspc_calm", NOW.replace(minute=0) - DAY) == 0
    assert output(world, "wrkspc_calm", NOW.replace(minute=0)) > 0


@pytest.mark.parametrize("text", ["", "name,day,value\na,2020-01-01,1\n", "series,date,y\n"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"first line|no values"):
        load_replay(path, PRICES, NOW)
