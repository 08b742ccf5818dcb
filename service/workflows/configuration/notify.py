"""The configurable kinds that say who is notified, when, and who may answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from service.domain.digests.digest import DigestContent, DigestPlan, reached
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.slack import SlackBot, is_user
from service.domain.notify.escalation import EscalationPolicy, validate_policy
from service.domain.notify.personal_channels import follow_token, is_personal
from service.domain.notify.receivers import Receiver, place
from service.domain.notify.rotas import Rota, validate_rota
from service.domain.notify.routing.routes import Route, RouteTable, validate_routes
from service.domain.notify.routing.silences import Silence, SilenceState, validate_silence
from service.domain.slack.requests import SlackPerson, SlackRole, SlackUser, SlackUsers
from service.domain.values.errors import Conflict, Invalid
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import (
    SYSTEM,
    Author,
    Draft,
    ResourceKind,
    Write,
    change,
    create,
    delete,
    put,
    the_only,
    version_of_the_only,
)
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

SILENCES_KEPT = timedelta(days=90)
"""After their end."""


class Receivers(ResourceKind[Receiver]):
    noun, prefix, spec = "receiver", "rcv", Receiver

    async def validate(self, uow: UnitOfWork, spec: Receiver, stored: Resource[Receiver] | None) -> None:
        """One address in two spellings, which earlier releases took, may stay."""
        known = {channel.identity for channel in stored.spec.channels} if stored else set()
        for position, channel in enumerate(spec.channels):
            same = [one for one in spec.channels[:position] if place(one) == place(channel)]
            if any({one.identity, channel.identity} - known or one.identity == channel.identity for one in same):
                raise Invalid("the receiver has this channel already", f"/channels/{position}")

    async def dependents(self, uow: UnitOfWork, id: str) -> list[str]:
        policies, rotas, digests = await uow.policies.all(), await uow.rotas.all(), await uow.digests.all()
        return [
            *await _routes_where(uow, lambda route: route.receiver_id == id),
            *(
                f"escalation policy {policy.name!r}"
                for policy in policies
                if any(step.receiver_id == id for step in policy.spec.steps)
            ),
            *(f"digest {digest.name!r}" for digest in digests if digest.spec.receiver_id == id),
            *(f"rota {rota.name!r}" for rota in rotas if any(person.receiver_id == id for person in rota.spec.people)),
            *(
                f"the owner of {one.member}"
                for owners in await uow.ownerships.all()
                for one in owners.spec.items
                if one.owner == id
            ),
        ]

    async def implied(self, uow: UnitOfWork) -> frozenset[str]:
        """The receivers of owners who are named by a mail address or a Slack user's id."""
        owners = {one.owner for stored in await uow.ownerships.all() for one in stored.spec.items}
        return frozenset(
            name for id, name in (await uow.receivers.named()).items() if id in owners and is_personal(name)
        )

    async def after_write(self, uow: UnitOfWork, write: Write[Receiver]) -> None:
        """Ends the rest of the receiver's channels, once somebody has changed it."""
        before, after = write.before, write.after
        if before is None or (after is not None and after.spec == before.spec):
            return
        if await uow.channel_health.forget(before.id, at=write.at):
            await uow.jobs.deliver(write.at)
        if after is not None:
            await _follow_tokens(uow, before.spec, after)


async def _follow_tokens(uow: UnitOfWork, before: Receiver, after: Resource[Receiver]) -> None:
    """Gives a bot's new token to the receivers of the people whom it writes to."""
    bots = {one.channel: one for one in after.spec.channels if isinstance(one, SlackBot) and not is_user(one.channel)}
    moved = [
        (old, bots[old.channel])
        for old in before.channels
        if isinstance(old, SlackBot) and old.channel in bots and bots[old.channel].token != old.token
    ]
    for other in await uow.receivers.readable() if moved else []:
        channels = other.spec.channels
        for old, new in moved:
            channels = follow_token(channels, old, new)
        draft = Draft(other.name, other.labels, Receiver(channels))
        await change(uow, Receivers(), other, draft, Author(SYSTEM, after.updated_at))


class RouteTables(ResourceKind[RouteTable]):
    noun, prefix, spec = "routes", "rts", RouteTable

    async def validate(self, uow: UnitOfWork, spec: RouteTable, stored: Resource[RouteTable] | None) -> None:
        validate_routes(spec)
        receivers = await uow.receivers.named()
        policies = await uow.policies.named()
        for position, route in enumerate(spec.items):
            if route.escalation_policy_id not in {None, *policies}:
                raise Invalid("the escalation policy has been deleted", f"/items/{position}/escalation_policy")
            if route.receiver_id not in receivers:
                raise Invalid("the receiver has been deleted", f"/items/{position}/receiver")


async def route_table(uow: UnitOfWork) -> Resource[RouteTable] | None:
    """Returns the stored routes, None before the first start has made them."""
    return await the_only(uow, RouteTables())


async def routes_version(uow: UnitOfWork) -> int:
    return await version_of_the_only(uow, RouteTables())


async def put_routes(uow: UnitOfWork, table: RouteTable, author: Author) -> Resource[RouteTable]:
    """Replaces the whole table."""
    return await put(uow, RouteTables(), Draft("routes", {}, table), author)


async def run_default_routes(ports: Ports) -> None:
    """Stores a receiver that writes to the worker's log and a route that leads to it, where no routes are stored."""
    author = Author(SYSTEM, ports.clock())
    async with ports.uow() as uow:
        await uow.become_only_writer()  # replicas may start at once: whoever comes second finds it done
        if await uow.routes.named():
            return
        ids = {name: id for id, name in (await uow.receivers.named()).items()}
        console = Draft("console", {}, Receiver((Console(),)))
        first = ids.get(console.name) or (await create(uow, Receivers(), console, author)).id
        await put_routes(uow, RouteTable((Route(first),)), author)


async def _routes_where(uow: UnitOfWork, refers: Callable[[Route], bool]) -> list[str]:
    """Names the routes that refer to something, for people."""
    table = await route_table(uow)
    routes = table.spec.items if table else ()
    return [
        "the default route" if position == len(routes) - 1 else f"route {position + 1}"
        for position, route in enumerate(routes)
        if refers(route)
    ]


class EscalationPolicies(ResourceKind[EscalationPolicy]):
    noun, prefix, plural, spec = "escalation policy", "esc", "escalation policies", EscalationPolicy

    async def validate(
        self, uow: UnitOfWork, spec: EscalationPolicy, stored: Resource[EscalationPolicy] | None
    ) -> None:
        validate_policy(spec)
        receivers = await uow.receivers.named()
        rotas = await uow.rotas.named()
        for position, step in enumerate(spec.steps):
            if step.receiver_id not in {None, *receivers}:
                raise Invalid("the receiver has been deleted", f"/steps/{position}/receiver")
            if step.rota_id not in {None, *rotas}:
                raise Invalid("the rota has been deleted", f"/steps/{position}/rota")

    async def dependents(self, uow: UnitOfWork, id: str) -> list[str]:
        return await _routes_where(uow, lambda route: route.escalation_policy_id == id)


class Rotas(ResourceKind[Rota]):
    noun, prefix, spec = "rota", "rota", Rota

    async def validate(self, uow: UnitOfWork, spec: Rota, stored: Resource[Rota] | None) -> None:
        validate_rota(spec)
        receivers = await uow.receivers.named()
        for position, person in enumerate(spec.people):
            if person.receiver_id not in receivers:
                raise Invalid("the receiver has been deleted", f"/people/{position}/receiver")

    async def dependents(self, uow: UnitOfWork, id: str) -> list[str]:
        return [
            f"escalation policy {policy.name!r}"
            for policy in await uow.policies.all()
            if any(step.rota_id == id for step in policy.spec.steps)
        ]


class Silences(ResourceKind[Silence]):
    noun, prefix, spec = "silence", "sil", Silence

    async def validate(self, uow: UnitOfWork, spec: Silence, stored: Resource[Silence] | None) -> None:
        validate_silence(spec, stored.spec if stored else None)


async def expire_silence(uow: UnitOfWork, id: str, author: Author) -> Resource[Silence]:
    """Ends a silence now, also one that has yet to begin. Raises NotFound, and Conflict for one that is over."""
    stored = await uow.silences.get(id)
    if stored.spec.state(author.at) is SilenceState.EXPIRED:
        raise Conflict("the silence is over already")
    ended = Draft(stored.name, stored.labels, replace(stored.spec, expired_at=author.at))
    return await change(uow, Silences(), stored, ended, author)


async def forget_silences(uow: UnitOfWork, now: datetime) -> None:
    """Deletes the silences that have been over for long. The audit log and their versions stay."""
    for stored in await uow.silences.readable():
        if (stored.spec.expired_at or stored.spec.ends_at) < now - SILENCES_KEPT:
            await delete(uow, Silences(), stored, Author(SYSTEM, now))


class Digests(ResourceKind[DigestPlan]):
    """The schedule itself is checked where it is read."""

    noun, prefix, spec = "digest", "dig", DigestPlan

    async def validate(self, uow: UnitOfWork, spec: DigestPlan, stored: Resource[DigestPlan] | None) -> None:
        if spec.source_id not in await uow.sources.named():
            raise Invalid("the source has been deleted", "/source")
        receiver = (await uow.receivers.some([spec.receiver_id])).get(spec.receiver_id)
        if receiver is None:
            raise Invalid("the receiver has been deleted", "/receiver")
        if not reached(receiver.spec):
            raise Invalid(
                "all channels of this receiver page somebody: a digest goes to none of them",
                "/fallback" if spec.to_owner else "/receiver",
            )
        if spec.to_owner and spec.content is DigestContent.USAGE:
            raise Invalid("a usage report is not divided among owners: name a receiver", "/content")


class SlackUserLists(ResourceKind[SlackUsers]):
    noun, prefix, spec = "slack users", "slu", SlackUsers


async def slack_users(uow: UnitOfWork) -> Resource[SlackUsers] | None:
    """Returns the stored list, None before anybody has written one."""
    return await the_only(uow, SlackUserLists())


async def slack_users_version(uow: UnitOfWork) -> int:
    return await version_of_the_only(uow, SlackUserLists())


async def put_slack_users(uow: UnitOfWork, users: SlackUsers, author: Author) -> Resource[SlackUsers]:
    """Replaces the whole list."""
    return await put(uow, SlackUserLists(), Draft("slack-users", {}, users), author)


async def slack_user(uow: UnitOfWork, person: SlackPerson, default: SlackRole) -> SlackUser:
    """Returns somebody in Slack as the list has them, with the default role for whoever is not on it."""
    stored = await slack_users(uow)
    return (stored.spec if stored else SlackUsers()).find(person.user, default)
