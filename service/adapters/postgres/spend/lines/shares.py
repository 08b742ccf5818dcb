"""Billed lines that name no key, divided among the keys that best-known spend divides the day's tokens among.

Amounts of lines times shares of keys make a table whose margins are both given: each line's amount, and each key's
spend. Running sums are rounded along both, not the products, so that both margins stay exact and a share is within
2e-12 dollars of its product.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, func, select

from service.adapters.postgres.spend.lines.rows import (
    PARTS,
    LineSources,
    at_place,
    is_shared_line,
    is_shared_place,
)
from service.adapters.postgres.spend.tables import CELL
from service.domain.spend.rows import TOKEN_COST
from service.domain.values.money import PLACES
from service.domain.values.scopes import UNATTRIBUTED


def shared_lines(found: LineSources) -> Select[Any]:
    """Cell, parts and amount."""
    lines, keys, places = _lines(found), _keys(found), found.places

    def sum_until(line: ColumnElement[Any], key: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.round(line * key / places.c.tokens, PLACES)

    to_line, to_key = lines.c.reached, keys.c.reached
    before_line, before_key = to_line - lines.c.amount, to_key - keys.c.amount
    amount = (
        sum_until(to_line, to_key)
        - sum_until(before_line, to_key)
        - sum_until(to_line, before_key)
        + sum_until(before_line, before_key)
    )
    return (
        select(
            *(keys.c[name] for name in CELL),
            *(lines.c[name] for name in PARTS),
            keys.c.has_usage,
            amount.label("amount"),
        )
        .join_from(lines, places, at_place(lines, places))
        .join(keys, at_place(keys, places))
    )


def _lines(found: LineSources) -> CTE:
    """The shared lines of each place, in an order, with the sum that is reached with each."""
    bill, places = found.bill, found.places
    reached = func.sum(bill.c.amount).over(partition_by=bill.c.place, order_by=[bill.c[name] for name in PARTS])
    return (
        select(bill.c.place, *(bill.c[name] for name in PARTS), bill.c.amount, reached.label("reached"))
        .join_from(bill, places, at_place(bill, places))
        .where(is_shared_line(found))
        .cte("shared_lines")
    )


def _keys(found: LineSources) -> CTE:
    """The token spend of each key of a place: all of its spend but what is billed besides tokens, which has no key."""
    stored, places = found.stored, found.places
    others = (
        select(found.bill.c.place, func.sum(found.bill.c.amount).label("amount"))
        .where(found.bill.c.cost_type != TOKEN_COST)
        .group_by(found.bill.c.place)
        .cte("others")
    )
    of_none = and_(at_place(stored, others), stored.c.api_key == UNATTRIBUTED)
    kept = [stored.c.place, *(stored.c[name] for name in CELL), stored.c.has_usage]
    tokens = (
        select(*kept, (stored.c.billed - func.coalesce(others.c.amount, 0)).label("amount"))
        .join_from(stored, places, at_place(stored, places))
        .join(others, of_none, isouter=True)
        .where(is_shared_place(found))
        .cte("tokens")
    )
    reached = func.sum(tokens.c.amount).over(partition_by=tokens.c.place, order_by=tokens.c.api_key)
    return select(*tokens.c, reached.label("reached")).where(tokens.c.amount != 0).cte("shared_keys")
