"""A digest to owners: every dollar is in one share, and budgets and alerts are in those of their owners."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.alerts.alert import Alert, NewHolder
from service.domain.alerts.evidence import Contribution
from service.domain.digests.alerts import Tally
from service.domain.digests.digest import Digest, Figures, build
from service.domain.digests.phrases import digest_message, subject
from service.domain.digests.shares import DigestPart, Division, Share
from service.domain.sources.ownership import OwnedMember, OwnerBook
from service.domain.spend.attribution import by_owner
from service.domain.spend.best_known import Spend
from service.domain.values.money import ZERO, Money
from service.domain.values.scopes import EVERYTHING, ORGANISATION, Cell, Dimension, Scope, ScopeKey
from tests.domain.digests.test_digest import OCCASION, PLAN
from tests.sample_alerts import ALERT, EVIDENCE

ENG, OPS = ScopeKey(Dimension.WORKSPACE, "wrkspc_eng"), ScopeKey(Dimension.WORKSPACE, "wrkspc_ops")
CI = ScopeKey(Dimension.API_KEY, "key_ci")
NAMES = {"rcv_ann": "ann@example.com", "rcv_bob": "bob@example.com", "rcv_finops": "finops"}
CELLS = [Cell(place, "sonnet", key) for place in ("wrkspc_eng", "wrkspc_ops", "wrkspc_new") for key in ("key_ci", "")]


def division(owned: dict[ScopeKey, str]) -> Division:
    members = {key: OwnedMember("src_1", key, owner) for key, owner in owned.items()}
    return Division(OwnerBook(members, {"key_ci": "wrkspc_eng"}), by_owner(members), NAMES, "rcv_finops")


ANNS = division({ENG: "rcv_ann", CI: "rcv_bob"})


def about(share: Share, spent: dict[Cell, Spend]) -> Digest:
    return build(PLAN, replace(OCCASION, share=share), Figures(spent, {}), (), Tally())


@given(
    owned=st.dictionaries(st.sampled_from([ENG, OPS, CI]), st.sampled_from([*NAMES, "rcv_pager", ""])),
    spent=st.dictionaries(st.sampled_from(CELLS), st.integers(0, 10**9)),
)
def test_the_shares_of_all_add_up_to_the_whole(owned: dict[ScopeKey, str], spent: dict[Cell, int]) -> None:
    known = {cell: Spend(billed=Money.of(f"{amount}e-6")) for cell, amount in spent.items()}
    shares = division(owned).shares(known)
    parts = [about(share, known).spent.total for share in shares]
    assert Money.total(parts) == Money.total(one.total for one in known.values())
    assert shares[0].is_the_rest
    assert len({one.receiver_id for one in shares}) == len(shares)


def test_a_key_is_its_own_owners_and_what_no_owner_is_sent_is_the_fallbacks() -> None:
    of = {cell: ANNS.receiver_of(cell) for cell in CELLS}
    assert list(of.values()) == ["rcv_bob", "rcv_ann", "rcv_bob", "rcv_finops", "rcv_bob", "rcv_finops"]
    assert division({ENG: "rcv_pager"}).receiver_of(CELLS[1]) == "rcv_finops", "a pager is sent no digest"


@pytest.mark.parametrize(
    ("key", "scope", "receivers"),
    [
        (ENG, EVERYTHING, {"rcv_ann"}),
        (CI, EVERYTHING, {"rcv_bob"}),
        (OPS, EVERYTHING, {"rcv_finops"}),
        (ORGANISATION, EVERYTHING, {"rcv_finops"}),
        (ORGANISATION, Scope(workspaces=("wrkspc_eng", "wrkspc_ops")), {"rcv_ann", "rcv_finops"}),
    ],
)
def test_a_budget_is_in_the_share_of_each_owner_of_what_it_is_about(
    key: ScopeKey, scope: Scope, receivers: set[str]
) -> None:
    assert {id for id in NAMES if DigestPart(EVERYTHING, Share(ANNS, id)).has_budget(key, scope)} == receivers


def large(*parts: tuple[ScopeKey, str]) -> Alert:
    contributions = tuple(Contribution(part, part.id, Money.of(amount)) for part, amount in parts)
    return replace(ALERT, scope=ORGANISATION, evidence=replace(EVIDENCE, contributions=contributions))


@pytest.mark.parametrize(
    ("alert", "receivers"),
    [
        (replace(ALERT, scope=ENG), {"rcv_ann"}),
        (large((ENG, "12.00")), {"rcv_ann"}),
        (large((ENG, "0.10")), {"rcv_finops"}),
        (replace(ALERT, scope=ENG, handed_to=NewHolder("rcv_bob", "bob@example.com")), {"rcv_bob"}),
    ],
)
def test_an_alert_is_in_the_share_of_whoever_hears_of_it(alert: Alert, receivers: set[str]) -> None:
    parts = {id: DigestPart(EVERYTHING, Share(ANNS, id)) for id in NAMES}
    assert {id for id, part in parts.items() if part.has_alert(alert, EVERYTHING)} == receivers


def test_a_message_says_whose_share_it_is() -> None:
    spent = {CELLS[1]: Spend(billed=Money.of("12.00"))}
    owner, rest = (about(Share(ANNS, id), spent) for id in ("rcv_ann", "rcv_finops"))
    assert subject(owner).startswith("9 Nov 09:00 to 16 Nov 09:00, what ann@example.com owns: $12.00")
    assert digest_message(owner, "dgr_1", "").summary.startswith("What ann@example.com owns cost $12.00 from ")
    assert (rest.spent.total, rest.about) == (ZERO, "what has no owner")
    finops = Share(division({OPS: "rcv_finops"}), "rcv_finops")
    assert finops.about == "what finops owns and what has no owner"


def test_what_belongs_to_who_cannot_be_sent_a_digest_is_not_said_to_have_no_owner() -> None:
    paged = division({ENG: "rcv_pager", OPS: "rcv_finops"})
    assert Share(division({ENG: "rcv_pager"}), "rcv_finops").about == "what is in no owner's share"
    assert Share(paged, "rcv_finops").about == "what finops owns and what is in no owner's share"
