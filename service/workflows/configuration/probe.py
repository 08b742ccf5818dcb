"""Tests of a source's key and a receiver's channels against the real service, outside any transaction."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from service.domain.messages.message import sample
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.circuits import said_of_addresses
from service.domain.notify.notification import Action, Delivery, Message
from service.domain.notify.receivers import channel_key
from service.domain.sources.concerns import SourceConcern
from service.domain.sources.source import ReportFamily, Source
from service.domain.values.periods import Window
from service.domain.values.plain_values import plainly
from service.domain.values.resources import Resource, new_id
from service.workflows.configuration.engine import Author, Difference, record
from service.workflows.notify.circuits import close
from service.workflows.notify.page_links import linked
from service.workflows.notify.sending import send_whole
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.platform import VaultError
from service.workflows.ports.sources import CostSource, Organization, SourceError
from service.workflows.ports.unit_of_work import Ports
from service.workflows.sources.defects import bounded, defects_refuse
from service.workflows.sources.identify import foreign, objection, other_reader


@dataclass(frozen=True, slots=True)
class ReportsCheck:
    """Whether a key may read one of the two families of reports. `refusal` is None where it may."""

    reports: ReportFamily
    refusal: str | None


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """A source's answer. `error` is None when its organisation and the bill that it prefers could be read.

    `concerns`: what is to be put right where there is an error.
    """

    organization: Organization | None
    error: str | None
    reports: tuple[ReportsCheck, ...] = ()
    concerns: SourceConcern = SourceConcern.MOMENT


@dataclass(frozen=True, slots=True)
class ChannelTest:
    """A channel's answer to a sample. `kind` is how it is written in JSON, `of_addresses` what some of them said."""

    kind: str
    channel: str
    error: str | None
    detail: str
    of_addresses: str = ""


async def run_check_source(ports: Ports, id_or_name: str, author: Author) -> SourceCheck:
    """Reads the organisation, and yesterday's cost from both families of reports, with the stored key. Raises NotFound.

    Stores the organisation, so that a disabled source cannot be enabled beside another one that reads it.
    """
    async with ports.uow() as uow:
        source = await uow.sources.get(id_or_name)
    check = await _check(ports, source)
    async with ports.uow() as uow:
        read = [one.reports.value for one in check.reports if one.refusal is None]
        outcome = Difference(
            after={"organization": plainly(check.organization), "error": check.error, "reports": plainly(read)}
        )
        await record(uow, author, "source.check", source.id, f"named {source.name!r}", outcome)
    return check


async def _check(ports: Ports, source: Resource[Source]) -> SourceCheck:
    today = ports.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = Window(today - timedelta(days=1), today)
    organization = None
    try:
        with defects_refuse("check"):
            async with ports.sources.connect(source.spec) as reader:
                organization = await reader.organization()
                own = await _readable(reader, yesterday, source.spec.prefer or ReportFamily.ADMIN)
    except SourceError as error:
        return SourceCheck(organization, bounded(str(error)), concerns=error.concerns)
    except VaultError as error:
        return SourceCheck(organization, bounded(str(error)), concerns=SourceConcern.SEAL)
    reports = (own, await _other(ports, source.spec, own.reports, yesterday))
    taken = await run_note(ports, source, organization)
    return SourceCheck(organization, taken, reports, SourceConcern.ORGANISATION)


async def _readable(reader: CostSource, day: Window, reports: ReportFamily) -> ReportsCheck:
    """Raises SourceError where neither these nor what is read in their place can be read."""
    origin = (await reader.cost(day)).origin
    return ReportsCheck(reports, None if origin.reports is reports else origin.remark or "not served")


async def _other(ports: Ports, spec: Source, own: ReportFamily, day: Window) -> ReportsCheck:
    other = ReportFamily.ADMIN if own is ReportFamily.ANALYTICS else ReportFamily.ANALYTICS
    try:
        with defects_refuse("check"):
            async with ports.sources.connect(replace(spec, prefer=other)) as reader:
                return await _readable(reader, day, other)
    except SourceError as error:
        return ReportsCheck(other, bounded(str(error)))


async def run_note(ports: Ports, source: Resource[Source], organization: Organization) -> str | None:
    """Stores the result of a check. Returns what is wrong where another enabled source reads the organisation, or this
    one has bills of another.
    """
    async with ports.uow() as uow:
        await uow.become_only_writer()
        present = await uow.sources.get(source.id)
        state = await uow.polling_states.hold(source.id)
        other = await other_reader(uow, organization.id, source.id)
        mixed = foreign(organization, state)
        # Of a source that was changed meanwhile this says nothing; an enabled one is the next poll's to refuse.
        if present.spec == source.spec and mixed is None and (other is None or not present.spec.enabled):
            await uow.polling_states.save(
                replace(state, organization_id=organization.id, organization_name=organization.name)
            )
    return mixed if other is None else objection(organization, other)


async def run_test_receiver(ports: Ports, id_or_name: str, author: Author) -> tuple[ChannelTest, ...]:
    """Sends a sample through every channel, side by side. Raises NotFound."""
    async with ports.uow() as uow:
        receiver = await uow.receivers.get(id_or_name)
    message = sample(ports.public_url, author.at)
    messages = [(config, linked(ports, message, receiver.id, config)) for config in receiver.spec.channels]
    tests = await asyncio.gather(*(_try(ports, config, said, author) for config, said in messages))
    async with ports.uow() as uow:
        failed = sum(1 for test in tests if test.error is not None)
        detail = f"named {receiver.name!r}: {len(tests) - failed} sent, {failed} failed"
        await record(uow, author, "receiver.test", receiver.id, detail, Difference(after={"tests": plainly(tests)}))
        for test in tests:
            if test.error is None:
                await close(uow, receiver.id, test.channel, author.at, of_addresses=test.of_addresses)
    return tuple(tests)


async def _try(ports: Ports, config: ChannelConfig, message: Message, author: Author) -> ChannelTest:
    key = channel_key(config)
    delivery = Delivery(new_id("test", author.at), Action.OPEN, message, post=None, at=author.at)
    try:
        receipt = await send_whole(ports.channels.open(config), delivery)
    except DeliveryError as error:
        return ChannelTest(config.document.kind, key, error.reason, "")
    of_addresses = said_of_addresses(receipt.refused, receipt.delayed)
    return ChannelTest(config.document.kind, key, None, receipt.detail, of_addresses)
