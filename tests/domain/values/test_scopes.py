import pytest

from service.domain.values.scopes import Cell, Dimension, Scope, ScopeKey

ALICE = Cell("wrkspc_eng", "claude-sonnet-4-5", "apikey_alice")


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        (Scope(), True),
        (Scope(workspaces=("wrkspc_ops", "wrkspc_eng")), True),
        (Scope(workspaces=("wrkspc_ops",)), False),
        (Scope(models=("claude-sonnet-4-5",), api_keys=("apikey_alice",)), True),
        (Scope(models=("claude-sonnet-4-5",), api_keys=("apikey_bob",)), False),
        (Scope(workspaces=("wrkspc_eng",), models=("claude-haiku-4-5",)), False),
    ],
)
def test_a_scope_holds_what_passes_all_its_filters(scope: Scope, held: bool) -> None:
    assert scope.holds(ALICE) is held


@pytest.mark.parametrize(
    ("dimension", "member", "key"),
    [
        (Dimension.ORGANISATION, "", "org"),
        (Dimension.WORKSPACE, "wrkspc_eng", "workspace:wrkspc_eng"),
        (Dimension.MODEL, "claude-sonnet-4-5", "model:claude-sonnet-4-5"),
        (Dimension.API_KEY, "apikey_alice", "api_key:apikey_alice"),
    ],
)
def test_a_cell_has_one_member_in_every_dimension(dimension: Dimension, member: str, key: str) -> None:
    assert ALICE.along(dimension) == member
    assert str(ScopeKey(dimension, member)) == key


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        (Scope(), Scope(), True),
        (Scope(), Scope(models=("claude-haiku-4-5",)), True),
        (Scope(workspaces=("eng", "ops")), Scope(workspaces=("ops",)), True),
        (Scope(workspaces=("eng",)), Scope(workspaces=("ops",)), False),
        (Scope(workspaces=("eng",)), Scope(models=("claude-haiku-4-5",)), True),
        (Scope(("eng",), ("claude-haiku-4-5",)), Scope(("eng",), ("claude-sonnet-4-5",)), False),
    ],
)
def test_scopes_may_share_spend_unless_a_dimension_keeps_them_apart(one: Scope, other: Scope, may: bool) -> None:
    assert (one.may_share(other), other.may_share(one)) == (may, may)
