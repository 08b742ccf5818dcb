"""The commands of an operator: poll, backfill, check everything."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TypeVar

from service.domain.notify.receivers import Receiver
from service.domain.sources.concerns import SourceConcern
from service.domain.sources.poll import Poll, PollKind
from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.values.errors import Invalid, NotFound
from service.domain.values.resources import Resource, Sealed
from service.workflows.access.commands import COMMAND_LINE
from service.workflows.configuration.engine import Author, Difference, record
from service.workflows.configuration.probe import ReportsCheck, run_check_source
from service.workflows.configuration.spend import require_known_place
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.configuration import Resources
from service.workflows.ports.platform import VaultError
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.backfill import request_backfill
from service.workflows.sources.ingest import request_poll

Spec = TypeVar("Spec")

REPAIRS = {
    SourceConcern.KEY: "Send another admin_key: PATCH /v1/sources/{id}",
    SourceConcern.SEAL: (
        "Set TOCSIN_SECRET_KEY to the key that sealed it (docs/operations.md#secrets), or send the admin_key again:"
        " PATCH /v1/sources/{id}"
    ),
    SourceConcern.ADDRESS: "Correct base_url, and send the admin_key with it: PATCH /v1/sources/{id}",
    SourceConcern.EGRESS: (
        "The key was not tried. Do as it says where that address is meant; else correct base_url, and send the"
        " admin_key with it: PATCH /v1/sources/{id}"
    ),
    SourceConcern.NETWORK: (
        "The key was not tried. See that this machine reaches that address (its DNS, its firewall, TOCSIN_PROXY);"
        " where the address is wrong, correct base_url: PATCH /v1/sources/{id}"
    ),
    SourceConcern.ORGANISATION: 'Disable it, {{"enabled": false}}, or the other one: PATCH /v1/sources/{id}',
    SourceConcern.MOMENT: "Try again in some minutes; where it stays so, the server's log says more: tocsin poll {id}",
}
"""The step that puts a source right, by what its failure is about."""
KNOWN_PLACE = "Send a country and subdivision that are known, or null: PATCH /v1/sources/{id}"
SECRETS_AGAIN = (
    "Set TOCSIN_SECRET_KEY to the key that sealed it (docs/operations.md#secrets), or send its secrets again: PATCH"
    " /v1/receivers/{id}"
)
AS_IT_SAYS = "Do as it says, or give it another channel: PATCH /v1/receivers/{id}"
READ_THE_LOG = "Run the release that wrote it, or write it again by its name"


async def run_request_poll(ports: Ports, source: str | None) -> Poll:
    author = Author(COMMAND_LINE, ports.clock())
    async with ports.uow() as uow:
        chosen = await _choose(uow, source)
        poll = await request_poll(uow, chosen.id, PollKind.REQUESTED, author.at)
        await record(uow, author, "source.poll", chosen.id, f"poll {poll.id}", Difference(after={"poll": poll.id}))
    return poll


async def run_request_backfill(ports: Ports, source: str | None, since: datetime) -> Poll:
    author = Author(COMMAND_LINE, ports.clock())
    async with ports.uow() as uow:
        chosen = await _choose(uow, source)
        poll = await request_backfill(uow, chosen.id, since, author.at)
        await record(
            uow,
            author,
            "source.backfill",
            chosen.id,
            f"poll {poll.id}",
            Difference(after={"poll": poll.id, "since": since.isoformat()}),
        )
    return poll


async def run_look_up_poll(ports: Ports, poll_id: str) -> Poll:
    async with ports.uow() as uow:
        return await uow.polls.get(poll_id)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked; `problem` is None where it works, `next_step` what helps where it does not.

    A doubt works, and is hardly what somebody wants.
    """

    subject: str
    detail: str
    problem: str | None = None
    next_step: str = ""
    is_doubt: bool = False


async def run_checks(ports: Ports) -> list[Check]:
    """Asks each source for its organisation and a day's cost, and opens each receiver's secrets. Sends nothing."""
    async with ports.uow() as uow:
        sources = await uow.sources.readable()
        receivers = await uow.receivers.readable()
        unreadable = [*await _unreadable(uow.sources, "source"), *await _unreadable(uow.receivers, "receiver")]
        states = {source.id: await uow.polling_states.get(source.id) for source in sources}
    checks = [await _check_source(ports, source, states[source.id]) for source in sources]
    return checks + [_check_receiver(ports, receiver) for receiver in receivers] + unreadable


async def _unreadable(store: Resources[Spec], noun: str) -> list[Check]:
    readable = {one.id for one in await store.readable()}
    left_out = [name for id, name in (await store.named()).items() if id not in readable]
    problem = "its stored text cannot be read; the log says why: resource_unreadable"
    return [Check(f"{noun} {name}", "", problem=problem, next_step=READ_THE_LOG) for name in left_out]


async def _check_source(ports: Ports, source: Resource[Source], state: SourceState) -> Check:
    subject = f"source {source.name}"
    if not source.spec.enabled:
        return Check(subject, "disabled")
    checked = await run_check_source(ports, source.id, Author(COMMAND_LINE, ports.clock()))
    if checked.error is not None and _is_read_where_it_runs(source.spec, state, ports.clock()):
        return Check(subject, "simulated by `tocsin up`, which reads it")
    if checked.error is not None or checked.organization is None:
        repair = REPAIRS[checked.concerns].format(id=source.id)
        return Check(subject, "", problem=checked.error or "names no organisation", next_step=repair)
    try:
        require_known_place(source.spec)  # a newer library may have dropped what was stored: its holidays are none
    except Invalid as error:
        return Check(
            subject, "", problem=f"its holidays are not known: {error}", next_step=KNOWN_PLACE.format(id=source.id)
        )
    said = (f"{one.reports.value} reports {_readable(one)}" for one in checked.reports)
    return Check(subject, "; ".join((f"answers for organisation {checked.organization.name}", *said)))


def _is_read_where_it_runs(spec: Source, state: SourceState, now: datetime) -> bool:
    """Returns whether `tocsin up`, which alone knows the port of its simulator, has read it lately."""
    read_at = state.cost_read_at
    return spec.kind is SourceKind.SIMULATOR and read_at is not None and now - read_at <= 2 * spec.poll_interval


def _readable(one: ReportsCheck) -> str:
    return "can be read" if one.refusal is None else f"cannot: {one.refusal}"


def _check_receiver(ports: Ports, receiver: Resource[Receiver]) -> Check:
    subject = f"receiver {receiver.name}"
    kinds = [channel.kind for channel in receiver.spec.channels]
    try:
        for channel in receiver.spec.channels:
            for field in fields(channel):
                secret = getattr(channel, field.name)
                if isinstance(secret, Sealed):
                    ports.vault.open(secret)
            ports.channels.open(channel)
    except VaultError as error:
        return Check(subject, "", problem=str(error), next_step=SECRETS_AGAIN.format(id=receiver.id))
    except DeliveryError as error:
        return Check(subject, "", problem=str(error), next_step=AS_IT_SAYS.format(id=receiver.id))
    return Check(subject, ", ".join(kinds) or "no channels")


async def _choose(uow: UnitOfWork, id_or_name: str | None) -> Resource[Source]:
    """Raises Invalid for a source that is not there, or is not named among several; NotFound where there is none."""
    if id_or_name is not None:
        return await _named(uow, id_or_name)
    enabled = [source for source in await uow.sources.all() if source.spec.enabled]
    if len(enabled) == 1:
        return enabled[0]
    if not enabled:
        raise NotFound("there is no enabled source; start Tocsin once, or POST /v1/sources")
    raise Invalid(f"name one of {', '.join(source.name for source in enabled)}", "/source")


async def _named(uow: UnitOfWork, id_or_name: str) -> Resource[Source]:
    try:
        return await uow.sources.get(id_or_name)
    except NotFound as error:
        raise Invalid(str(error), "/source") from error
