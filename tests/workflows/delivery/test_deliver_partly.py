"""A mail of several addresses: each has it once, whatever the server says of the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from service.adapters.channels.email.channel import EmailChannel
from service.adapters.channels.email.settings import SmtpServer
from service.domain.digests.digest import DigestPlan
from service.domain.digests.runs import DigestRun, RunState
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import Digests
from service.workflows.configuration.probe import run_test_receiver
from service.workflows.delivery.deliver import run_delivery
from service.workflows.digests.deliver import run_digest, run_due_digests
from service.workflows.ports.channels import Channel
from tests.fakes.smtp import FakeSmtp
from tests.sample_alerts import RESOLVED_EVENT
from tests.workflows.delivery.sending import QUEUED, SENT, announce, failing, only, own, raise_it
from tests.workflows.yard import HOUR, MINUTE, Yard

ANN, BOB, CAT = "ann@example.com", "bob@example.com", "cat@example.com"
LATER, NEVER = "450 4.2.0 greylisted", "550 5.1.1 no such mailbox"


@dataclass
class _RealMail:
    smtp: FakeSmtp

    def open(self, config: ChannelConfig) -> Channel:
        assert isinstance(config, Email)
        return EmailChannel(config, SmtpServer.parse(self.smtp.url), "Tocsin <tocsin@example.com>")


async def deliver(yard: Yard) -> None:
    yard.clock.advance(MINUTE)
    await run_delivery(yard.ports)


async def send_digest(yard: Yard, digest: Resource[DigestPlan]) -> DigestRun:
    """Sends what is due of it, and returns its last run."""
    await run_due_digests(yard.ports)
    async with yard.ports.uow() as uow:
        run = await uow.digest_runs.latest(digest.id)
        assert run is not None
    await run_digest(yard.ports, run.id)
    async with yard.ports.uow() as uow:
        run = await uow.digest_runs.latest(digest.id)
    assert run is not None
    return run


def reached(smtp: FakeSmtp) -> list[list[str]]:
    return [sorted(mail.recipients) for mail in smtp.mails]


async def write_to(yard: Yard, smtp: FakeSmtp, *addresses: str) -> None:
    await yard.receive_with(Email(addresses))
    yard.ports = replace(yard.ports, channels=_RealMail(smtp))
    await announce(yard)
    await run_delivery(yard.ports)


async def test_whom_the_server_refused_for_now_is_written_to_alone(yard: Yard) -> None:
    async with FakeSmtp(refused={BOB: LATER}) as smtp:
        await write_to(yard, smtp, ANN, BOB)
        one = await only(yard)
        assert (one.state, one.left_to, one.attempts[-1].outcome) == (QUEUED, (BOB,), "partly")
        assert LATER in one.attempts[-1].detail
        (channel,) = await failing(yard)
        assert (channel.error, channel.dead, channel.next_try) == (
            f"refused for now: {BOB} (mail server: {LATER})",
            0,
            None,
        )
        await deliver(yard)
        assert (await only(yard)).attempts[-1].detail == f"refused: {BOB} (mail server: {LATER})"
        smtp.refused.clear()
        await deliver(yard)
        assert reached(smtp) == [[ANN], [BOB]]
    assert ((await only(yard)).state, (await only(yard)).left_to) == (SENT, ())
    assert await failing(yard) == []


async def test_whom_the_server_refused_for_good_shows_and_nobody_has_a_second_mail(yard: Yard) -> None:
    async with FakeSmtp(refused={BOB: NEVER}) as smtp:
        await write_to(yard, smtp, ANN, BOB)
        await deliver(yard)
        assert reached(smtp) == [[ANN]]
    one = await only(yard)
    assert (one.state, f"refused: {BOB}" in one.attempts[-1].detail) == (SENT, True)
    (channel,) = await failing(yard)
    assert (channel.dead, channel.next_try) == (0, None)
    assert f"{BOB} (mail server: {NEVER})" in channel.error


@pytest.mark.parametrize("bob_then", ["taken", "refused"])
async def test_one_for_now_and_one_for_good(yard: Yard, bob_then: str) -> None:
    async with FakeSmtp(refused={BOB: LATER, CAT: NEVER}) as smtp:
        await write_to(yard, smtp, ANN, BOB, CAT)
        if bob_then == "taken":
            del smtp.refused[BOB]
        else:
            smtp.refused[BOB] = NEVER
        await deliver(yard)
        await deliver(yard)
        assert reached(smtp) == ([[ANN], [BOB]] if bob_then == "taken" else [[ANN]])
    assert (await only(yard)).state is SENT
    (channel,) = await failing(yard)
    who = CAT if bob_then == "taken" else BOB
    assert channel.error == f"refused for good: {who} (mail server: {NEVER})"
    assert channel.next_try is None


async def test_a_test_of_the_receiver_keeps_whom_it_did_not_reach_among_the_failing(yard: Yard) -> None:
    async with FakeSmtp(refused={BOB: NEVER}) as smtp:
        await write_to(yard, smtp, ANN, BOB)
        await run_test_receiver(yard.ports, yard.receiver.id, yard.author)
    (channel,) = await failing(yard)
    assert channel.error == f"refused for good: {BOB} (mail server: {NEVER})"


async def test_a_digest_is_written_again_to_whom_was_refused_for_now_alone(yard: Yard) -> None:
    async with FakeSmtp(refused={BOB: LATER, CAT: NEVER}) as smtp:
        await yard.receive_with(Email((ANN, BOB, CAT)))
        yard.ports = replace(yard.ports, channels=_RealMail(smtp))
        digest = await yard.create(
            Digests(), "daily spend", DigestPlan(yard.source.id, yard.receiver.id, "0 13 * * *", "UTC")
        )
        yard.clock.advance(HOUR)
        await send_digest(yard, digest)
        (channel,) = await failing(yard)
        assert f"refused for now: {BOB}" in channel.error
        smtp.refused = {BOB: "451 4.3.0 still busy"}
        for _ in range(2):
            yard.clock.advance(MINUTE)
            await send_digest(yard, digest)
            smtp.refused.clear()
        assert reached(smtp) == [[ANN], [BOB]]
    run = await send_digest(yard, digest)
    assert (run.state, [one.left_to for one in run.sendings]) == (RunState.SENT, [()])
    (channel,) = await failing(yard)
    assert channel.error == f"refused for good: {CAT} (mail server: {NEVER})"


async def test_who_is_left_holds_up_no_later_message_for_the_others(yard: Yard) -> None:
    async with FakeSmtp(refused={BOB: LATER}) as smtp:
        await write_to(yard, smtp, ANN, BOB)
        await raise_it(yard)
        await deliver(yard)
        assert reached(smtp) == [[ANN], [ANN]]
        smtp.refused.clear()
        yard.clock.advance(HOUR)
        await run_delivery(yard.ports)
        assert sorted(reached(smtp)) == [[ANN], [ANN], [BOB], [BOB]]
    assert {one.state for one in await own(yard)} == {SENT}


async def test_who_is_left_is_not_told_that_it_fires_after_being_told_that_it_is_over(yard: Yard) -> None:
    async with FakeSmtp(refused={BOB: LATER}) as smtp:
        await write_to(yard, smtp, ANN, BOB)
        smtp.refused.clear()
        over = replace(RESOLVED_EVENT.alert, version=2)
        await announce(yard, replace(RESOLVED_EVENT, alert=over))
        for _ in range(3):
            await deliver(yard)
        assert [sorted(mail.recipients) for mail in smtp.mails] == [[ANN], [ANN, BOB]]
        assert "In-Reply-To" in smtp.mails[1].message
    opening = next(one for one in await own(yard) if one.alert_version == 1)
    assert (opening.state, opening.left_to, opening.attempts[-1].outcome) == (SENT, (), "settled")
    assert await failing(yard) == []
