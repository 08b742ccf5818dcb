"""A digest to owners, sent: each is told their share, nobody twice, and the page behind a link shows the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from service.domain.digests.digest import DigestContent, DigestPlan
from service.domain.digests.periods import DigestPeriod
from service.domain.digests.runs import RunState
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.notification import Delivery
from service.domain.notify.receivers import Receiver
from service.domain.sources.ownership import OwnedMember, Ownership
from service.domain.values.errors import Invalid
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, ScopeKey
from service.workflows.configuration.notify import Digests, Receivers
from service.workflows.configuration.ownership import put_ownership
from service.workflows.digests.linked import run_linked_digest
from tests.factories import budget, percent
from tests.workflows.digests.test_deliver import BUSY, last_run, sent, tick
from tests.workflows.yard import HOUR, MINUTE, Yard, billed

DAY = date(2026, 11, 15)
SPENT = {"wrkspc_eng": "70.01", "wrkspc_ops": "20.02", "wrkspc_web": "5.03", "default": "3.04"}


async def receiver(yard: Yard, who: str) -> Resource[Receiver]:
    return await yard.create(Receivers(), who, Receiver((Email((who,)),)))


async def shared(yard: Yard) -> Resource[DigestPlan]:
    """Ann owns eng, bob ops, a pager web, and nobody the default workspace; the yard's console has the rest."""
    ann, bob = await receiver(yard, "ann@example.com"), await receiver(yard, "bob@example.com")
    pager = await yard.create(Receivers(), "pager", Receiver((PagerDuty(yard.ports.vault.seal("FAKE")),)))
    owners = {"wrkspc_eng": ann.id, "wrkspc_ops": bob.id, "wrkspc_web": pager.id}
    members = [
        OwnedMember(yard.source.id, ScopeKey(Dimension.WORKSPACE, workspace), owner)
        for workspace, owner in owners.items()
    ]
    yard.reader.bill(DAY, *(billed(amount, workspace=workspace) for workspace, amount in SPENT.items()))
    await yard.poll()
    async with yard.ports.uow() as uow:
        await put_ownership(uow, Ownership(tuple(members)), yard.author)
    spec = DigestPlan(yard.source.id, yard.receiver.id, "0 13 * * *", period=DigestPeriod.PREVIOUS_DAY, to_owner=True)
    return await yard.create(Digests(), "daily spend", spec)


def by_receiver(yard: Yard) -> Mapping[str, Delivery]:
    """What the mail addresses, and the console, were sent."""
    digests = [(to, one) for to, one in yard.channels.sent if one.message.alert_id.startswith("dgr_")]
    found = {to.to[0] if isinstance(to, Email) else to.kind: one for to, one in digests}
    assert len(found) == len(digests), "somebody was sent two"
    return found


async def test_each_owner_is_sent_their_own_spend_and_the_fallback_the_rest(yard: Yard) -> None:
    digest = await shared(yard)
    yard.clock.advance(HOUR)
    await tick(yard)
    headlines = {to: one.message.headline for to, one in by_receiver(yard).items()}
    assert headlines == {
        "ann@example.com": "Sun 15 Nov, what ann@example.com owns: $70.01, up $70.01 vs Sat 14 Nov",
        "bob@example.com": "Sun 15 Nov, what bob@example.com owns: $20.02, up $20.02 vs Sat 14 Nov",
        "console": "Sun 15 Nov, what is in no owner's share: $8.07, up $8.07 vs Sat 14 Nov",
    }
    run = await last_run(yard, digest)
    assert (run.state, len(run.sendings)) == (RunState.SENT, 3)


async def test_budgets_and_alerts_are_told_to_their_owners(yard: Yard) -> None:
    await yard.add_budget("each workspace", budget("10.00", percent(100), for_each=Dimension.WORKSPACE))
    await yard.add_budget("all of it", budget("90.00", percent(100)))
    await shared(yard)
    await yard.settle()
    yard.clock.advance(HOUR)
    await tick(yard)
    facts = {to: dict(one.message.facts) for to, one in by_receiver(yard).items()}
    at_risk = {to: of["Budgets at risk"].splitlines() for to, of in facts.items()}
    assert [line.partition(":")[0] for line in at_risk["ann@example.com"]] == ["each workspace (workspace wrkspc_eng)"]
    assert [line.partition(":")[0] for line in at_risk["bob@example.com"]] == ["each workspace (workspace wrkspc_ops)"]
    assert [line.partition(":")[0] for line in at_risk["console"]] == ["all of it (Example Inc)"]


async def test_who_is_busy_is_tried_again_alone(yard: Yard) -> None:
    digest = await shared(yard)
    yard.clock.advance(HOUR)
    yard.channels.refusals["console"] = BUSY
    await tick(yard)
    assert (await last_run(yard, digest)).state is RunState.QUEUED
    yard.channels.refusals.clear()
    yard.clock.advance(MINUTE)
    await tick(yard)
    assert list(by_receiver(yard)) == ["ann@example.com", "bob@example.com", "console"]
    assert (await last_run(yard, digest)).state is RunState.SENT


async def test_a_link_shows_the_share_that_it_was_sent_with(yard: Yard) -> None:
    await shared(yard)
    yard.clock.advance(HOUR)
    await tick(yard)
    mails = [(to, one) for to, one in by_receiver(yard).items() if to != "console"]
    assert len(mails) == 2
    for to, delivery in mails:
        shown = await run_linked_digest(yard.ports, delivery.message.link.rpartition("/")[2])
        assert shown.headline == delivery.message.headline, to


async def test_owners_of_nothing_that_was_spent_are_sent_nothing(yard: Yard) -> None:
    digest = await shared(yard)
    yard.reader.bill(DAY, billed("70.01", workspace="wrkspc_eng"))
    await yard.poll()
    yard.clock.advance(HOUR)
    await tick(yard)
    assert list(by_receiver(yard)) == ["console", "ann@example.com"]
    assert (await last_run(yard, digest)).state is RunState.SENT


async def test_a_usage_report_has_one_receiver(yard: Yard) -> None:
    digest = await shared(yard)
    with pytest.raises(Invalid, match="not divided among owners"):
        await yard.change(Digests(), digest, replace(digest.spec, content=DigestContent.USAGE))
    assert sent(yard) == []


async def test_two_shares_at_one_address_are_two_messages(yard: Yard) -> None:
    """A mail client keeps one of two mails with one id, and a webhook's consumer drops the second."""
    first = await yard.create(Receivers(), "first team", Receiver((Email(("team@example.com",)),)))
    second = await yard.create(Receivers(), "second team", Receiver((Email(("team@example.com",)),)))
    members = [
        OwnedMember(yard.source.id, ScopeKey(Dimension.WORKSPACE, "wrkspc_eng"), first.id),
        OwnedMember(yard.source.id, ScopeKey(Dimension.WORKSPACE, "wrkspc_ops"), second.id),
    ]
    yard.reader.bill(DAY, billed("70.01", workspace="wrkspc_eng"), billed("20.02", workspace="wrkspc_ops"))
    await yard.poll()
    async with yard.ports.uow() as uow:
        await put_ownership(uow, Ownership(tuple(members)), yard.author)
    spec = DigestPlan(yard.source.id, yard.receiver.id, "0 13 * * *", period=DigestPeriod.PREVIOUS_DAY, to_owner=True)
    await yard.create(Digests(), "daily spend", spec)
    yard.clock.advance(HOUR)
    await tick(yard)
    mails = [one for to, one in yard.channels.sent if isinstance(to, Email)]
    assert sorted(one.message.headline.split(",")[1] for one in mails) == [
        " what first team owns: $70.01",
        " what second team owns: $20.02",
    ]
    assert len({one.id for one in mails}) == 2
