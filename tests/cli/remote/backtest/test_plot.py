"""A plot has a bar for each day, and marks stand below the days on which it fired."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from service.cli.remote.backtest.plot import lines, specification

FIRST = date(2026, 10, 30)
DAYS = [(FIRST + timedelta(days=number), Decimal(amount)) for number, amount in enumerate((10, 10, 80, 0, 40))]
FIRED = {date(2026, 11, 1): 2, date(2026, 11, 3): 1}


def test_days_stand_in_their_column_month_by_month_on_one_scale() -> None:
    assert list(lines(DAYS, FIRED)) == [
        f"2026-10  {' ' * 29}▁▁",
        "2026-11  █▁▄",
        "         ▲ ▲",
    ]


def test_the_axis_of_the_picture_says_years_where_there_are_several() -> None:
    assert "%d %b %Y" not in f"{specification(DAYS, FIRED, 'jumps')}"
    assert "%d %b %Y" in f"{specification([*DAYS, (date(2027, 1, 1), Decimal(5))], FIRED, 'jumps')}"


def test_the_picture_has_each_day_s_figure() -> None:
    chart = specification(DAYS, FIRED, "jumps: would have fired on 2 days")
    data = chart["data"]
    assert isinstance(data, dict)
    values = data["values"]
    assert isinstance(values, list)
    assert values[2] == {"day": "2026-11-01", "spent": 80.0, "fired": 2}
