from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from service.adapters.claude.actors import ActorParser
from service.adapters.claude.analytics_rows import AnalyticsRow, RowParser
from service.adapters.claude.parser import Grid
from service.adapters.vault import FernetVault
from service.domain.sources.source import People
from service.domain.spend.rows import CostRow, Width
from service.domain.values.periods import Window

DAY = datetime(2026, 11, 15, tzinfo=UTC)
MAIL = "ada@people.example"
PERSON = {"type": "user_actor", "user_id": "user_01Ada", "email_address": MAIL, "name": "Ada", "deleted": False}
_GRID = Grid.around(Window(DAY, DAY + timedelta(days=1)), Width.DAY)
_VAULT = FernetVault("a secret key of the tests")


def parsed(people: People, **group: object) -> AnalyticsRow[CostRow]:
    dimensions = {
        "workspace_id": "wrkspc_1",
        "model": "claude-sonnet-5-5",
        "product": "claude_code",
        "actor": None,
    } | group
    row = {
        "starting_at": "2026-11-15T00:00:00Z",
        "ending_at": "2026-11-16T00:00:00Z",
        "group": dimensions,
        "cost": {"amount": "700", "list_amount": "700", "currency": "USD", "requests": None},
    }
    actors = ActorParser(people, _VAULT.pseudonym)
    return RowParser(_GRID, frozenset(), actors if actors.asks else None).cost(json.dumps(row).encode())


def test_what_an_error_may_show_of_a_row_names_nobody() -> None:
    """The identity stands in the error about pages that overlap, which is logged."""
    row = parsed(People.NAMES, actor=PERSON, user_profile_id="profile_of_ada", claude_tag_user_id="U0ADA")
    shown = repr((row.identity, row.group, row.row))
    assert MAIL not in shown
    assert "user_01Ada" not in shown
    assert "profile_of_ada" not in shown
    assert "U0ADA" not in shown


def test_two_rows_of_one_person_are_one_twice_and_two_of_nobody_are_two() -> None:
    assert parsed(People.HASHED, actor=PERSON).identity == parsed(People.HASHED, actor=PERSON).identity
    assert parsed(People.HASHED).identity != parsed(People.HASHED).identity
    assert parsed(People.OFF).identity == parsed(People.OFF).identity, "a page that comes twice is noticed"


@pytest.mark.parametrize("actor", [PERSON, MAIL])
def test_a_person_whom_nobody_asked_for_is_not_kept(actor: object) -> None:
    row = parsed(People.OFF, actor=actor)
    assert row.row.dimensions.extra == (("product", "claude_code"),)
    assert MAIL not in repr((row.identity, row.group, row.named))
