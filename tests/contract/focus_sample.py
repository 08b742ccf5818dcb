"""A FOCUS export of each kind of row, for the FinOps Foundation's validator: `make focus`."""

from __future__ import annotations

import sys
from datetime import date

from service.domain.spend.best_known import Spend, SpendDay
from service.domain.spend.focus import COLUMNS, Account, ChargedCell, focus_row
from service.domain.values.csv_text import csv_text
from service.domain.values.money import Money

ACCOUNT = Account("src_1", "Example Ltd")
SONNET, OPUS = "claude-sonnet-4-5", "claude-opus-4-5"


def _cell(day: date, workspace: tuple[str, str], model: str, key: tuple[str, str], spend: Spend) -> ChargedCell:
    return ChargedCell(day, *workspace, model, *key, SpendDay(spend))


RESEARCH, NOBODY, NO_KEY = ("wrkspc_1", "Research"), ("", "not attributable"), ("", "")
NOV_1 = date(2026, 11, 1)
CELLS = (
    _cell(date(2026, 10, 31), RESEARCH, OPUS, ("apikey_1", "prod"), Spend(Money.of("12.345678"))),
    _cell(NOV_1, ("default", "Default"), SONNET, NO_KEY, Spend(estimated=Money.of("3.25"))),
    _cell(NOV_1, ("wrkspc_2", "=1+1"), SONNET, ("apikey_2", "@x"), Spend(unpriced_tokens=100)),
    _cell(NOV_1, NOBODY, "", NO_KEY, Spend(Money.of("1.5"))),
    _cell(date(2026, 11, 2), RESEARCH, OPUS, ("apikey_1", "prod"), Spend(Money.of("-2.5"))),
)

if __name__ == "__main__":
    sys.stdout.write(csv_text([COLUMNS, *(focus_row(cell, ACCOUNT) for cell in CELLS)]))
