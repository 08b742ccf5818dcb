from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.notify.channels.registry import ChannelConfig
from service.domain.sources.concerns import SourceConcern
from service.domain.sources.source import SourceKind
from service.workflows.operation.command_line import run_checks
from service.workflows.ports.channels import Channel, DeliveryError
from service.workflows.ports.sources import SourceError
from tests.fakes.ports import FakeChannels
from tests.workflows.yard import Yard

LOOPBACK = "The source may not be read: 127.0.0.1 is a loopback address"


async def problem_of(yard: Yard, country: str | None, subdivision: str | None = None) -> str | None:
    """What `tocsin check` says of the source, whose place was stored by another version."""
    async with yard.ports.uow() as uow:
        stored = await uow.sources.get(yard.source.id)
        spec = replace(stored.spec, country=country, subdivision=subdivision)
        await uow.sources.replace(replace(stored, spec=spec, version=stored.version + 1))
    return next(one.problem for one in await run_checks(yard.ports) if one.subject == f"source {yard.source.name}")


async def test_a_place_whose_holidays_are_not_known_any_more_is_told(yard: Yard) -> None:
    assert await problem_of(yard, "DE", "BY") is None
    assert "its holidays are not known: DE has these subdivisions" in (await problem_of(yard, "DE", "gone") or "")
    assert "its holidays are not known: holidays are known of these" in (await problem_of(yard, "ZZ") or "")


async def refuse() -> None:
    raise SourceError(LOOPBACK, retryable=False)


async def told_of(yard: Yard, kind: SourceKind) -> str | None:
    """What a process beside the server says of its source, which it may not connect to itself."""
    async with yard.ports.uow() as uow:
        stored = await uow.sources.get(yard.source.id)
        await uow.sources.replace(replace(stored, spec=replace(stored.spec, kind=kind), version=stored.version + 1))
    yard.reader.naming = refuse
    return next(one.problem for one in await run_checks(yard.ports) if one.subject == f"source {yard.source.name}")


async def test_a_simulator_that_the_server_reads_is_well_whatever_a_process_beside_it_may_connect_to(
    yard: Yard,
) -> None:
    await yard.poll()
    assert await told_of(yard, SourceKind.SIMULATOR) is None
    yard.clock.advance(timedelta(hours=1))
    assert await told_of(yard, SourceKind.SIMULATOR) == LOOPBACK, "nobody reads it"


@pytest.mark.parametrize("kind", [SourceKind.SIMULATOR, SourceKind.CLAUDE_ADMIN])
async def test_a_source_that_was_never_read_is_told_as_it_was_refused(yard: Yard, kind: SourceKind) -> None:
    assert await told_of(yard, kind) == LOOPBACK


async def test_an_organisation_s_own_source_is_told_though_it_was_read_a_moment_ago(yard: Yard) -> None:
    await yard.poll()
    assert await told_of(yard, SourceKind.CLAUDE_ADMIN) == LOOPBACK


@pytest.mark.parametrize(
    ("concern", "advice"),
    [
        (SourceConcern.KEY, "Send another admin_key"),
        (SourceConcern.EGRESS, "The key was not tried. Do as it says"),
        (SourceConcern.NETWORK, "The key was not tried. See that this machine reaches"),
        (SourceConcern.ADDRESS, "Correct base_url"),
        (SourceConcern.MOMENT, "Try again"),
    ],
)
async def test_what_is_advised_is_about_what_failed(yard: Yard, concern: SourceConcern, advice: str) -> None:
    async def fail() -> None:
        raise SourceError("no", retryable=False, concerns=concern)

    yard.reader.naming = fail
    (check,) = [one for one in await run_checks(yard.ports) if one.subject == f"source {yard.source.name}"]
    assert check.next_step.startswith(advice)
    assert ("another admin_key" in check.next_step) == (concern is SourceConcern.KEY)


class WithoutMailServer(FakeChannels):
    def open(self, config: ChannelConfig) -> Channel:
        raise DeliveryError("mail is not set up: set TOCSIN_SMTP_URL")


async def test_a_receiver_that_cannot_be_opened_is_not_a_matter_of_its_secrets(yard: Yard) -> None:
    checks = await run_checks(replace(yard.ports, channels=WithoutMailServer()))
    (check,) = [one for one in checks if one.subject == f"receiver {yard.receiver.name}"]
    assert "TOCSIN_SMTP_URL" in (check.problem or "")
    assert "SECRET_KEY" not in check.next_step
    assert f"/v1/receivers/{yard.receiver.id}" in check.next_step
