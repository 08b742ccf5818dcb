from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.values.csv_text import csv_text
from service.domain.values.money import Money


def test_names_with_commas_quotes_and_lines_stay_one_cell() -> None:
    row = ['eng, "core"', "two\nlines", "größte", "", "1"]
    assert next(csv.reader(io.StringIO(csv_text([row]), newline=""))) == row


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_name_is_carried_out(text: str) -> None:
    (cell,) = next(csv.reader(io.StringIO(csv_text([[text]]), newline="")))
    assert cell == f"'{text}"


def test_numbers_are_numbers_also_below_zero() -> None:
    amounts = [Money.of("-12.340000000001"), Money.of("0.000000000001"), Money.of("5")]
    assert csv_text([[*amounts, -3, None]]) == "-12.340000000001,0.000000000001,5.00,-3,\r\n"


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1))
def test_what_is_written_is_read_again(row: list[str]) -> None:
    (read,) = csv.reader(io.StringIO(csv_text([row]), newline=""))
    assert [cell.removeprefix("'") for cell in read] == [cell.removeprefix("'") for cell in row]
