"""Configured things: names, versions, and what was valid when."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres import configuration as stored_configuration
from service.domain.budgets.budget import Budget
from service.domain.notify.channels.console import Console
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.situation import ConfigurationSnapshot
from service.domain.values.errors import Conflict, Invalid, NotFound, StaleVersion, UnreadableDocument
from service.domain.values.money import Money
from service.domain.values.resources import Lifetime, Resource
from service.workflows.ports.unit_of_work import UowFactory
from tests.factories import LONG_AGO, budget, claude_source, resource
from tests.statements import counted

FIRST = resource("bdg_1", budget("10.00"), name="eng monthly")
SECOND = replace(
    FIRST, version=2, updated_at=LONG_AGO + timedelta(days=1), spec=replace(FIRST.spec, amount=Money.of("20"))
)


async def add(uow: UowFactory, *budgets: Resource[Budget]) -> None:
    async with uow() as unit:
        for item in budgets:
            await unit.budgets.add(item)


async def replaced_by(uow: UowFactory, item: Resource[Budget]) -> str:
    """ "stored", or the name of the refusal; in a transaction of its own."""
    try:
        async with uow() as unit:
            await unit.budgets.replace(item)
    except (StaleVersion, Conflict, NotFound) as refusal:
        return type(refusal).__name__
    return "stored"


async def test_a_resource_is_found_by_id_and_by_name(uow: UowFactory) -> None:
    stored = replace(FIRST, labels={"team": "eng"})
    await add(uow, stored)
    async with uow() as unit:
        assert await unit.budgets.get("bdg_1") == stored
        assert await unit.budgets.get("eng monthly") == stored


async def test_an_id_is_preferred_to_another_one_s_name(uow: UowFactory) -> None:
    await add(uow, FIRST, resource("bdg_2", budget(), name="bdg_1"))
    async with uow() as unit:
        assert (await unit.budgets.get("bdg_1")).id == "bdg_1"


async def test_a_resource_of_another_kind_is_not_found(uow: UowFactory) -> None:
    async with uow() as unit:
        await unit.sources.add(resource("src_1", claude_source()))
        with pytest.raises(NotFound, match="there is no budget 'src_1'"):
            await unit.budgets.get("src_1")
        assert await unit.budgets.all() == []


async def test_a_name_is_unique_within_its_kind_only(uow: UowFactory) -> None:
    await add(uow, FIRST)
    async with uow() as unit:
        await unit.sources.add(resource("src_1", claude_source(), name=FIRST.name))
        with pytest.raises(Conflict, match="'eng monthly' is another budget's"):
            await unit.budgets.add(resource("bdg_2", budget(), name=FIRST.name))


async def test_a_refused_name_leaves_the_transaction_usable(uow: UowFactory) -> None:
    await add(uow, FIRST, resource("bdg_2", budget(), name="other"))
    async with uow() as unit:
        taken = resource("bdg_2", budget(), name=FIRST.name, version=2)
        with pytest.raises(Conflict):
            await unit.budgets.replace(taken)
        assert (await unit.budgets.get("bdg_2")).name == "other"


async def test_of_two_edits_of_one_version_at_once_one_is_stored_and_one_is_stale(uow: UowFactory) -> None:
    await add(uow, FIRST)
    outcomes = await asyncio.gather(replaced_by(uow, SECOND), replaced_by(uow, SECOND))
    assert sorted(outcomes) == ["StaleVersion", "stored"]


async def test_an_edit_of_nothing_is_not_found(uow: UowFactory) -> None:
    assert await replaced_by(uow, SECOND) == "NotFound"


async def test_a_delete_needs_the_stored_version(uow: UowFactory) -> None:
    await add(uow, FIRST)
    async with uow() as unit:
        with pytest.raises(StaleVersion, match="at version 1 by now"):
            await unit.budgets.delete("bdg_1", version=7, now=LONG_AGO)
        await unit.budgets.delete("bdg_1", version=1, now=LONG_AGO)
        with pytest.raises(NotFound):
            await unit.budgets.get("bdg_1")


async def test_a_deleted_name_may_be_given_again(uow: UowFactory) -> None:
    await add(uow, FIRST)
    async with uow() as unit:
        await unit.budgets.delete("bdg_1", version=1, now=LONG_AGO)
        await unit.budgets.add(resource("bdg_2", budget(), name=FIRST.name))


async def test_a_past_instant_is_told_the_version_that_was_valid_then(uow: UowFactory) -> None:
    await add(uow, FIRST)
    assert await replaced_by(uow, SECOND) == "stored"
    deleted_at = SECOND.updated_at + timedelta(days=1)
    async with uow() as unit:
        await unit.budgets.delete("bdg_1", version=2, now=deleted_at)
        instant = timedelta(microseconds=1)
        assert await unit.budgets.as_of("bdg_1", LONG_AGO - instant) is None
        assert await unit.budgets.as_of("bdg_1", LONG_AGO) == FIRST
        assert await unit.budgets.as_of("bdg_1", SECOND.updated_at) == SECOND
        assert await unit.budgets.as_of("bdg_1", deleted_at - instant) == SECOND
        assert await unit.budgets.as_of("bdg_1", deleted_at) is None


async def test_all_that_there_was_at_an_instant_is_told_as_it_was_then(uow: UowFactory) -> None:
    await add(uow, FIRST, resource("bdg_0", budget()))
    assert await replaced_by(uow, SECOND) == "stored"
    deleted_at = SECOND.updated_at + timedelta(days=1)
    async with uow() as unit:
        await unit.budgets.delete("bdg_1", version=2, now=deleted_at)
        assert await unit.budgets.all_as_of(LONG_AGO - timedelta(days=1)) == []
        assert [one.id for one in await unit.budgets.all_as_of(LONG_AGO)] == ["bdg_0", "bdg_1"]
        assert SECOND in await unit.budgets.all_as_of(SECOND.updated_at)
        assert [one.id for one in await unit.budgets.all_as_of(deleted_at)] == ["bdg_0"]


async def test_the_lifetime_of_what_is_gone_is_found_by_its_id_and_its_last_name(uow: UowFactory) -> None:
    await add(uow, FIRST)
    renamed = replace(SECOND, name="later name")
    assert await replaced_by(uow, renamed) == "stored"
    async with uow() as unit:
        living = Lifetime("bdg_1", "later name", LONG_AGO, None)
        assert await unit.budgets.lifetime("bdg_1") == living
        assert await unit.budgets.lifetime("eng monthly") == living
        deleted_at = SECOND.updated_at + timedelta(days=1)
        await unit.budgets.delete("bdg_1", version=2, now=deleted_at)
        assert await unit.budgets.lifetime("later name") == replace(living, until=deleted_at)
        with pytest.raises(NotFound):
            await unit.sources.lifetime("bdg_1")


async def test_of_two_that_bore_a_name_the_later_one_is_meant(uow: UowFactory) -> None:
    await add(uow, FIRST)
    async with uow() as unit:
        await unit.budgets.delete("bdg_1", version=1, now=SECOND.updated_at)
        heir = replace(FIRST, id="bdg_2", created_at=SECOND.updated_at, updated_at=SECOND.updated_at)
        await unit.budgets.add(heir)
        assert (await unit.budgets.lifetime(FIRST.name)).id == "bdg_2"
        assert (await unit.budgets.lifetime("bdg_1")).until == SECOND.updated_at


async def test_pages_follow_one_another_without_gap_or_repetition(uow: UowFactory) -> None:
    await add(uow, *(resource(f"bdg_{number}", budget()) for number in range(5)))
    async with uow() as unit:
        first = await unit.budgets.page(limit=2, cursor=None)
        second = await unit.budgets.page(limit=2, cursor=first.next)
        third = await unit.budgets.page(limit=2, cursor=second.next)
    found = [item.id for page in (first, second, third) for item in page.items]
    assert found == ["bdg_0", "bdg_1", "bdg_2", "bdg_3", "bdg_4"]
    assert third.next is None


async def test_the_last_page_has_no_successor_even_when_it_is_full(uow: UowFactory) -> None:
    await add(uow, FIRST, resource("bdg_2", budget()))
    async with uow() as unit:
        assert (await unit.budgets.page(limit=2, cursor=None)).next is None


@pytest.mark.parametrize("cursor", ["", "!!!", "bdg_1", "YmRnXzE=", "AAAA", "w7w", "x" * 500])
async def test_a_broken_cursor_is_refused_with_its_pointer(uow: UowFactory, cursor: str) -> None:
    async with uow() as unit:
        with pytest.raises(Invalid) as refused:
            await unit.budgets.page(limit=2, cursor=cursor)
    assert refused.value.pointer == "/cursor"


@pytest.mark.parametrize("table", ["resource_versions", "alert_events", "audit_events", "revisions"])
async def test_what_is_append_only_has_its_triggers(engine: AsyncEngine, table: str) -> None:
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT tgname FROM pg_trigger WHERE tgrelid = CAST(:name AS regclass) AND NOT tgisinternal"),
            {"name": table},
        )
        assert set(found.scalars()) == {"append_only", "never_emptied"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE resource_versions SET name = 'another'",
        "DELETE FROM resource_versions",
        "TRUNCATE resource_versions",
    ],
)
async def test_old_versions_can_be_neither_changed_nor_deleted(
    uow: UowFactory, engine: AsyncEngine, statement: str
) -> None:
    await add(uow, FIRST)
    with pytest.raises(DBAPIError, match="append-only") as refused:
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.RestrictViolation)


async def test_the_whole_configuration_is_read_by_one_statement(uow: UowFactory, engine: AsyncEngine) -> None:
    source, receiver = resource("src_1", claude_source()), resource("rcv_1", Receiver((Console(),)))
    async with uow() as unit:
        await unit.sources.add(source)
        await unit.budgets.add(FIRST)
        await unit.receivers.add(receiver)
        await unit.routes.add(resource("rts_1", RouteTable((Route("rcv_1"),))))
    async with uow() as unit:
        with counted(engine) as statements:
            configuration = await unit.snapshot("src_1", LONG_AGO)
    assert statements == {"SELECT resources": 1}
    assert configuration == ConfigurationSnapshot(
        sources={"src_1": source},
        budgets={"bdg_1": FIRST},
        receivers={"rcv_1": receiver},
        routes=RouteTable((Route("rcv_1"),)),
    )


async def test_without_any_configuration_no_route_leads_anywhere(uow: UowFactory) -> None:
    async with uow() as unit:
        assert await unit.snapshot("src_1", LONG_AGO) == ConfigurationSnapshot()


async def test_what_a_process_remembers_is_what_a_cold_start_reads_and_nothing_of_other_sources(
    uow: UowFactory,
) -> None:
    receiver = resource("rcv_1", Receiver((Console(),)))
    async with uow() as unit:
        await unit.budgets.add(FIRST)
        await unit.budgets.add(resource("bdg_2", replace(FIRST.spec, source_id="src_2"), name="other"))
        await unit.receivers.add(receiver)
    async with uow() as unit:
        await unit.snapshot("src_1", LONG_AGO)
        await unit.budgets.replace(replace(FIRST, version=2, spec=replace(FIRST.spec, enabled=False)))
    async with uow() as unit:
        warm = await unit.snapshot("src_1", LONG_AGO)
        stored_configuration._remembered.cache_clear()
        assert await unit.snapshot("src_1", LONG_AGO) == warm
    assert not warm.budgets["bdg_1"].spec.enabled
    assert warm.budgets.keys() == {"bdg_1"}


async def test_one_text_that_cannot_be_read_hides_no_other_and_says_whose_it_is(
    uow: UowFactory, engine: AsyncEngine
) -> None:
    other = replace(FIRST, id="bdg_2", name="research monthly")
    await add(uow, FIRST, other)
    async with engine.begin() as connection:
        spoilt = """spec || '{"thresholds"\\: 7}'"""
        await connection.execute(text(f"UPDATE resources SET spec = {spoilt} WHERE id = 'bdg_1'"))
        columns = "kind, name, labels, created_at, valid_from, deleted"
        await connection.execute(
            text(
                f"INSERT INTO resource_versions (id, version, spec, {columns}) SELECT id, 2, {spoilt}, {columns}"
                " FROM resource_versions WHERE id = 'bdg_1'"
            )
        )
    async with uow() as unit:
        assert await unit.budgets.readable() == [other]
        assert await unit.budgets.named() == {"bdg_1": "eng monthly", "bdg_2": "research monthly"}
        unread, read = (await unit.budgets.page(limit=2, cursor=None)).items
        assert isinstance(unread, UnreadableDocument)
        assert (unread.id, unread.name, read) == ("bdg_1", "eng monthly", other)
        then = await unit.budgets.some_as_of({"bdg_1", "bdg_2", "bdg_3"}, LONG_AGO + timedelta(days=1))
        assert isinstance(then.pop("bdg_1"), UnreadableDocument)
        assert then == {"bdg_2": other}
        for asked in (unit.budgets.get("eng monthly"), unit.budgets.all(), unit.budgets.some(["bdg_1"])):
            with pytest.raises(UnreadableDocument, match=r"The budget .eng monthly. \(bdg_1\) is stored in a text"):
                await asked
