"""The configurable kinds that concern spend: sources, budgets and price overrides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from service.domain.alerts.crossings import ThresholdBasis
from service.domain.budgets.budget import Budget
from service.domain.sources.poll import PollKind
from service.domain.sources.pricing import PriceOverride
from service.domain.sources.source import People, ReportFamily, Source, SourceState, is_poll_interval
from service.domain.spend.lateness import CLOSING_FOR
from service.domain.values import periods
from service.domain.values.calendars import zone_names
from service.domain.values.errors import Conflict, Invalid, NotFound
from service.domain.values.public_holidays import countries
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension
from service.workflows.configuration.engine import Author, Draft, ResourceKind, Write, change
from service.workflows.configuration.people import refuse_unread, require_people
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.backfill import reach_back
from service.workflows.sources.identify import other_reader
from service.workflows.sources.ingest import request_poll


class Sources(ResourceKind[Source]):
    noun, prefix, spec = "source", "src", Source

    async def validate(self, uow: UnitOfWork, spec: Source, stored: Resource[Source] | None) -> None:
        if not is_poll_interval(spec.poll_interval):
            raise Invalid("must be between 1m and 1d", "/poll_interval")
        if spec.timezone is not None and spec.timezone not in zone_names():
            raise Invalid(f"{spec.timezone!r} is not an IANA time zone, such as Europe/Berlin", "/timezone")
        require_known_place(spec)
        committed = spec.priority_commitment
        if committed is not None and not committed.is_one_amount:
            raise Invalid("a commitment has either tokens or usd, above zero", "/priority_commitment")
        if spec.people is not People.OFF and spec.prefer is not ReportFamily.ANALYTICS and not spec.claude_code:
            raise Invalid("only the analytics reports and those of Claude Code name people: switch one on", "/people")
        if stored is not None and stored.spec.kind is not spec.kind:
            raise Invalid("a source keeps its kind; create another one", "/kind")

    async def require_consistent(self, uow: UnitOfWork, write: Write[Source]) -> None:
        before, after = write.before, write.after
        if after is None:
            return
        if after.spec.enabled:
            await _refuse_twins(uow, before, after)
        if before is not None:
            await refuse_unread(uow, before, after.spec)

    async def after_all(self, uow: UnitOfWork, writes: Sequence[Write[Source]]) -> None:
        """Lets what is known of an organisation go with the key that named it, where sources exchange their keys."""
        moved = [
            (one.before, one.after)
            for one in writes
            if one.before and one.after and not _is_same_connection(one.before.spec, one.after.spec)
        ]
        states = [await uow.polling_states.get(before.id) for before, _ in moved]
        for (_, after), state in zip(moved, states, strict=True):
            for (former, _), known in zip(moved, states, strict=True):
                if _is_same_connection(former.spec, after.spec):
                    await uow.polling_states.save(replace(state, organization_id=known.organization_id))

    async def dependents(self, uow: UnitOfWork, id: str) -> list[str]:
        return [
            *(f"budget {budget.name!r}" for budget in await uow.budgets.all() if budget.spec.source_id == id),
            *(f"rule {rule.name!r}" for rule in await uow.rules.all() if rule.spec.source_id == id),
            *(f"planned activity {plan.name!r}" for plan in await uow.planned.all() if plan.spec.source_id == id),
            *(f"digest {digest.name!r}" for digest in await uow.digests.all() if digest.spec.source_id == id),
        ]

    async def after_write(self, uow: UnitOfWork, write: Write[Source]) -> None:
        before, after = write.before, write.after
        if before is None:
            await uow.polling_states.add(SourceState(write.resource.id, fence=0, next_poll_at=write.at))
            return
        if after is not None and after.spec != before.spec:
            await _begin_again(uow, before, after, write.at)
        # Last: a poll holds its source and then queues the evaluation, and the two must not wait for each other.
        await uow.jobs.evaluate(before.id)


async def _begin_again(uow: UnitOfWork, before: Resource[Source], after: Resource[Source], at: datetime) -> None:
    await uow.polling_states.start_over(after.id, at)
    await _forget_whose_it_was(uow, before, after)
    if after.spec.people is not before.spec.people:
        await _forget_people(uow, after)
    if (after.spec.people, after.spec.claude_code) != (before.spec.people, before.spec.claude_code):
        await _read_claude_code_again(uow, after)
    if after.spec.enabled:
        await request_poll(uow, after.id, PollKind.REQUESTED, at)


def require_known_place(spec: Source) -> None:
    """Raises Invalid for a country whose holidays are not known, and for a part that it does not have."""
    if spec.country is None:
        if spec.subdivision is not None:
            raise Invalid("name the country, too", "/country")
        return
    if spec.country not in countries():
        raise Invalid(f"holidays are known of these countries: {', '.join(countries())}", "/country")
    parts = countries()[spec.country]
    if spec.subdivision is not None and spec.subdivision not in parts:
        known = f"has these subdivisions: {', '.join(parts)}" if parts else "has no subdivisions with holidays"
        raise Invalid(f"{spec.country} {known}", "/subdivision")


def _is_same_connection(one: Source, other: Source) -> bool:
    return (one.base_url, one.admin_key.digest) == (other.base_url, other.admin_key.digest)


async def _refuse_twins(uow: UnitOfWork, before: Resource[Source] | None, after: Resource[Source]) -> None:
    """Raises Conflict for an organisation that is read already: its spend would count twice.

    Before the first poll only address and key tell; then the poll itself refuses.
    """
    others = [one for one in await uow.sources.readable() if one.spec.enabled and one.id != after.id]
    twin = next((other for other in others if _is_same_connection(other.spec, after.spec)), None)
    if twin is None and before is not None and _is_same_connection(before.spec, after.spec):
        organization_id = (await uow.polling_states.get(after.id)).organization_id
        twin = await other_reader(uow, organization_id, after.id) if organization_id is not None else None
    if twin is not None:
        raise Conflict(f"The enabled source {twin.name!r} reads the same organisation")


async def _forget_whose_it_was(uow: UnitOfWork, before: Resource[Source], after: Resource[Source]) -> None:
    """Forgets the organisation's name with the key that named it: another key may belong to another one.

    An enabled source keeps its claim. One that is disabled has none that its key has not named: so it may go over to
    another organisation.
    """
    is_same = _is_same_connection(before.spec, after.spec)
    if not is_same:
        await uow.polling_states.take_fence(after.id)  # a poll that reads with the old key may not write any more
    state = await uow.polling_states.get(after.id)
    name = state.organization_name if is_same else None
    keeps = name is not None or (after.spec.enabled and (is_same or before.spec.enabled))
    claim = state.organization_id if keeps else None
    await uow.polling_states.save(replace(state, organization_id=claim, organization_name=name))


async def _forget_people(uow: UnitOfWork, after: Resource[Source]) -> None:
    """Forgets what is not to be known any more, before anything else is read of anybody.

    Without names, digests stay what they are. The next poll reads deeply, and says again what they are called.
    """
    await uow.polling_states.take_fence(after.id)  # a poll that still reads people may not write any more
    state = await uow.polling_states.get(after.id)
    await uow.polling_states.save(replace(state, deep_read_at=None))
    if after.spec.people is People.OFF:
        await uow.facts.erase_actors(after.id)
    await uow.directory.forget_names(after.id, Dimension.ACTOR)


async def _read_claude_code_again(uow: UnitOfWork, after: Resource[Source]) -> None:
    """Forgets days that name people in another way, or are not to be known: the next poll reads the last month."""
    await uow.claude_code.forget(after.id)
    state = await uow.polling_states.get(after.id)
    await uow.polling_states.save(replace(state, directory_read_at=None))


class Budgets(ResourceKind[Budget]):
    noun, prefix, spec = "budget", "bud", Budget

    async def validate(self, uow: UnitOfWork, spec: Budget, stored: Resource[Budget] | None) -> None:
        periods.validate(spec.period)
        await require_own_source(uow, self.noun, spec.source_id, stored.spec.source_id if stored else None)
        await require_people(uow, spec)
        seen: set[str] = set()
        for position, threshold in enumerate(spec.thresholds):
            pointer = f"/thresholds/{position}"
            if (threshold.percent is None) == (threshold.amount is None):
                raise Invalid("a threshold has either percent or amount", pointer)
            if threshold.basis is ThresholdBasis.FORECAST and spec.period.kind is periods.PeriodKind.ROLLING:
                raise Invalid("a rolling period has no end that could be forecast", f"{pointer}/basis")
            if threshold.key in seen:
                raise Invalid("another threshold has the same basis and level", pointer)
            seen.add(threshold.key)

    async def after_write(self, uow: UnitOfWork, write: Write[Budget]) -> None:
        budget = write.resource.spec
        await uow.jobs.evaluate(budget.source_id)
        if write.after is not None and budget.enabled:
            await _read_the_past(uow, budget, write.at)


async def _read_the_past(uow: UnitOfWork, budget: Budget, now: datetime) -> None:
    """Requests the bills since the earliest live period began: without them it would seem cheaper than it is."""
    starts = [period.window.start for period in periods.live_periods(budget.period, now, CLOSING_FOR)]
    await reach_back(uow, budget.source_id, min(starts, default=now), now)


class Prices(ResourceKind[PriceOverride]):
    noun, prefix, spec = "price", "prc", PriceOverride

    async def validate(self, uow: UnitOfWork, spec: PriceOverride, stored: Resource[PriceOverride] | None) -> None:
        if spec.valid_to is not None and spec.valid_to <= spec.valid_from:
            raise Invalid("must be later than valid_from", "/valid_to")


async def end_price(uow: UnitOfWork, id: str, author: Author) -> Resource[PriceOverride]:
    """Ends a price now. Raises NotFound, and Conflict for one that is over or has not begun."""
    stored = await uow.prices.get(id)
    spec = stored.spec
    if spec.valid_to is not None and spec.valid_to <= author.at:
        raise Conflict("the price is over already")
    if spec.valid_from >= author.at:
        raise Conflict("the price has not begun: delete it")
    ended = Draft(stored.name, stored.labels, replace(spec, valid_to=author.at))
    return await change(uow, Prices(), stored, ended, author)


async def source_named(uow: UnitOfWork, name: str | None, pointer: str) -> Resource[Source]:
    """Returns the source of an id or name, or the only one where none is named. Raises Invalid."""
    if name is None:
        sources = await uow.sources.all()
        # Whoever moves from the simulator to a real organisation has a disabled source beside the one in use.
        candidates = [source for source in sources if source.spec.enabled] or sources
        if len(candidates) == 1:
            return candidates[0]
        raise Invalid(f"name the source: there are {len(sources)}" if sources else "there is no source yet", pointer)
    try:
        return await uow.sources.get(name)
    except NotFound as error:
        raise Invalid(f"there is no source {name!r}", pointer) from error


async def require_own_source(uow: UnitOfWork, noun: str, source_id: str, stored: str | None) -> None:
    """Raises Invalid for a source that is not stored, and for another one than the resource has (`stored`)."""
    if source_id not in await uow.sources.named():
        raise Invalid("the source has been deleted", "/source")
    if stored not in (None, source_id):
        raise Invalid(f"a {noun} stays with its source; create another one", "/source")
