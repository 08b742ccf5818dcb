"""Whose a workspace or an API key is, and which tags count for it."""

from __future__ import annotations

from service.domain.sources.ownership import OwnedMember, OwnerBook, Ownership
from service.domain.values.scopes import Dimension, ScopeKey

ENG, CI, OTHER = (
    ScopeKey(Dimension.WORKSPACE, "wrkspc_eng"),
    ScopeKey(Dimension.API_KEY, "apikey_ci"),
    ScopeKey(Dimension.API_KEY, "apikey_other"),
)
ENG_OWNED = OwnedMember("src_1", ENG, "rcv_ann", {"team": "eng", "env": "prod"})
CI_TAGGED = OwnedMember("src_1", CI, tags={"env": "test"})
WORKSPACES = {"apikey_ci": "wrkspc_eng"}


def book(*items: OwnedMember) -> OwnerBook:
    return OwnerBook(Ownership(items).of_source("src_1"), WORKSPACES)


def test_a_key_without_an_owner_is_its_workspace_s_and_its_own_tags_win() -> None:
    found = book(ENG_OWNED, CI_TAGGED)
    assert found.owner(CI) == "rcv_ann"
    assert found.tags(CI) == {"team": "eng", "env": "test"}
    assert found.tags(ENG) == {"team": "eng", "env": "prod"}


def test_a_key_with_an_owner_is_theirs_and_what_nobody_owns_is_nobody_s() -> None:
    found = book(ENG_OWNED, OwnedMember("src_1", CI, "rcv_bob"))
    assert (found.owner(CI), found.owner(OTHER)) == ("rcv_bob", "")


def test_members_of_another_source_are_others_though_their_ids_are_the_same() -> None:
    assert book(OwnedMember("src_2", ENG, "rcv_ann")).owner(ENG) == ""


def test_a_change_replaces_its_members_and_takes_off_what_has_nothing() -> None:
    owners = Ownership((ENG_OWNED, CI_TAGGED))
    assert owners.with_members([OwnedMember("src_1", CI)]).items == (ENG_OWNED,)
    changed = OwnedMember("src_1", ENG, "rcv_bob")
    assert owners.with_members([changed]).items == (changed, CI_TAGGED)
