"""Whose a cell's spend is."""

from __future__ import annotations

from service.domain.sources.ownership import OwnedMember, Ownership
from service.domain.spend.attribution import by_owner, by_tag
from service.domain.values.scopes import Cell, Dimension, ScopeKey

ENG, CI = ScopeKey(Dimension.WORKSPACE, "wrkspc_eng"), ScopeKey(Dimension.API_KEY, "apikey_ci")
MEMBERS = Ownership(
    (OwnedMember("src_1", ENG, "rcv_ann", {"team": "eng"}), OwnedMember("src_1", CI, tags={"team": "ci"}))
).of_source("src_1")


def cell(workspace: str, api_key: str) -> Cell:
    return Cell(workspace, "claude-sonnet-4-5", api_key)


def test_a_key_s_own_comes_before_the_workspace_it_was_used_in() -> None:
    owners, teams = by_owner(MEMBERS), by_tag(MEMBERS, "team")
    assert owners.of(cell("wrkspc_eng", "apikey_ci")) == "rcv_ann"
    assert teams.of(cell("wrkspc_eng", "apikey_ci")) == "ci"
    assert teams.of(cell("wrkspc_eng", "apikey_other")) == "eng"


def test_what_neither_names_is_nobody_s() -> None:
    assert by_owner(MEMBERS).of(cell("wrkspc_other", "apikey_ci")) == ""
    assert by_tag(MEMBERS, "env").of(cell("wrkspc_eng", "apikey_ci")) == ""
