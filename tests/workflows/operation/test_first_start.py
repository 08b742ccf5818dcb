"""A fresh installation has a token, a receiver, a route and a source; a later start adds only what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.vault import FernetVault
from service.domain.access import Role
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.receivers import Receiver
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.registry import KINDS
from service.domain.sources.source import Source, SourceKind
from service.domain.values.errors import Conflict
from service.domain.values.periods import period_at
from service.domain.values.scopes import Dimension
from service.workflows.access.commands import run_list_tokens, run_revoke_token
from service.workflows.access.tokens import run_authenticate
from service.workflows.configuration.engine import Author, Draft, change, delete
from service.workflows.configuration.notify import Receivers, route_table
from service.workflows.configuration.rules import Rules
from service.workflows.configuration.spend import Budgets, Sources
from service.workflows.operation.first_source import FirstSource
from service.workflows.operation.first_start import FirstStart, run_first_start
from service.workflows.ports.access import AccessPorts
from service.workflows.ports.unit_of_work import Ports
from tests.factories import utc
from tests.fakes.clock import FakeClock
from tests.workflows.yard import open_yard

SIMULATOR = FirstSource(SourceKind.SIMULATOR, "http://127.0.0.1:8401", "sk-ant-admin01-FAKE-sim", timedelta(minutes=5))
CLAUDE = FirstSource(SourceKind.CLAUDE_ADMIN, "https://api.example", "sk-ant-admin01-FAKE-real", timedelta(minutes=10))
GIVEN = "tcn_FAKE-token-of-the-environment"


def about_tokens(ports: Ports) -> AccessPorts:
    return AccessPorts(ports.uow, ports.clock)


@pytest.fixture
async def ports(database_url: str, engine: AsyncEngine, clock: FakeClock) -> AsyncIterator[Ports]:
    """An installation in which nothing is configured."""
    async with open_yard(database_url, engine, clock) as yard:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM resources; DELETE FROM source_states")
        yield yard.ports


async def start(ports: Ports, source: FirstSource | None = SIMULATOR, token: str | None = None) -> FirstStart:
    return await run_first_start(ports, source, admin_token=token)


async def sources(ports: Ports) -> dict[str, Source]:
    async with ports.uow() as uow:
        return {source.name: source.spec for source in await uow.sources.all()}


async def configuration(ports: Ports) -> list[object]:
    """Every resource there is, at its version."""
    async with ports.uow() as uow:
        return [
            *await uow.sources.all(),
            *await uow.budgets.all(),
            *await uow.rules.all(),
            *await uow.receivers.all(),
            *await uow.routes.all(),
        ]


async def test_without_a_key_the_simulator_is_watched_and_everybody_is_told_so(ports: Ports) -> None:
    first = await start(ports)
    assert first.simulated
    ((name, source),) = (await sources(ports)).items()
    assert (name, source.kind, source.base_url) == ("simulator", SourceKind.SIMULATOR, SIMULATOR.base_url)
    assert (source.poll_interval, source.enabled) == (SIMULATOR.poll_interval, True)
    assert ports.vault.open(source.admin_key) == SIMULATOR.admin_key


async def test_the_simulator_comes_with_budgets_that_belong_to_it(ports: Ports) -> None:
    await start(ports)
    async with ports.uow() as uow:
        (source,) = await uow.sources.all()
        budgets = await uow.budgets.all()
    assert {budget.name for budget in budgets} == {"demo: organisation, monthly", "demo: each workspace, weekly"}
    assert {budget.spec.source_id for budget in budgets} == {source.id}


@pytest.mark.parametrize("at", ["2026-12-01T00:01", "2026-11-30T23:59", "2027-03-01T00:01", "2027-03-14T12:00"])
async def test_the_month_of_the_demonstration_has_run_for_long_whatever_day_it_is(ports: Ports, at: str) -> None:
    """On the first of a calendar month the simulated organisation has spent nothing that could fire."""
    now = utc(at)
    await start(replace(ports, clock=FakeClock(now)))
    async with ports.uow() as uow:
        budget = await uow.budgets.get("demo: organisation, monthly")
    month = period_at(budget.spec.period, now)
    assert month is not None
    assert now - month.window.start >= timedelta(days=10)


async def test_a_real_organisation_comes_without_budgets(ports: Ports) -> None:
    first = await start(ports, CLAUDE)
    assert not first.simulated
    assert (await sources(ports))["claude"].poll_interval == timedelta(minutes=10)
    async with ports.uow() as uow:
        assert await uow.budgets.all() == []


@pytest.mark.parametrize("source", [SIMULATOR, CLAUDE], ids=["simulator", "key"])
async def test_the_first_source_is_watched_by_rules(ports: Ports, source: FirstSource) -> None:
    await start(ports, source)
    async with ports.uow() as uow:
        (stored,) = await uow.sources.all()
        rules = {rule.name: rule.spec for rule in await uow.rules.all()}
    assert {name: rule.kind for name, rule in rules.items()} == {
        "unusual spend": "anomaly",
        "new API key that spends": "first_seen",
        "source not read": "stale_source",
    }
    for rule in rules.values():
        assert (rule.source_id, rule.enabled, rule.gates) == (stored.id, True, KINDS[rule.kind].gates)
    unusual = rules["unusual spend"].params
    assert isinstance(unusual, Anomaly)
    assert unusual.granularity is AnomalyGranularity.BOTH
    assert unusual.levels == (Dimension.ORGANISATION, Dimension.WORKSPACE)


async def test_a_real_organisation_after_the_simulator_has_rules_of_its_own(ports: Ports) -> None:
    await start(ports)
    await start(ports, CLAUDE)
    async with ports.uow() as uow:
        named = {source.id: source.name for source in await uow.sources.all()}
        rules = {rule.name: named[rule.spec.source_id] for rule in await uow.rules.all()}
    assert rules == {
        "unusual spend": "simulator",
        "new API key that spends": "simulator",
        "source not read": "simulator",
        "unusual spend (claude)": "claude",
        "new API key that spends (claude)": "claude",
        "source not read (claude)": "claude",
    }


async def test_the_rules_that_a_start_makes_are_in_nobody_s_way(ports: Ports, clock: FakeClock) -> None:
    """Deleted, they stay so; and then their source may go, too."""
    await start(ports, CLAUDE)
    author = Author("token:ann", clock())
    async with ports.uow() as uow:
        (source,) = await uow.sources.all()
        with pytest.raises(Conflict, match="unusual spend"):
            await delete(uow, Sources(), source, author)
        for rule in await uow.rules.all():
            await delete(uow, Rules(), rule, author)
    await start(ports, CLAUDE)
    async with ports.uow() as uow:
        assert await uow.rules.all() == []
        await delete(uow, Sources(), source, author)


async def test_everything_is_routed_to_the_terminal(ports: Ports) -> None:
    await start(ports)
    async with ports.uow() as uow:
        (receiver,) = await uow.receivers.all()
        routes = await route_table(uow)
    assert receiver.spec == Receiver((Console(),))
    assert routes is not None
    assert [route.receiver_id for route in routes.spec.items] == [receiver.id]


async def test_the_source_s_first_poll_is_due_at_once(ports: Ports, clock: FakeClock) -> None:
    await start(ports)
    async with ports.uow() as uow:
        assert len(await uow.polling_states.claim_due(clock())) == 1


@pytest.mark.parametrize("source", [SIMULATOR, CLAUDE, None], ids=["simulator", "key", "no source"])
async def test_a_second_start_changes_nothing(ports: Ports, clock: FakeClock, source: FirstSource | None) -> None:
    await start(ports, source)
    before = await configuration(ports)
    clock.advance(timedelta(days=1))
    again = await start(ports, source)
    assert again.admin_token is None
    assert await configuration(ports) == before


async def test_a_start_without_a_source_adds_none(ports: Ports) -> None:
    """`tocsin api` beside `tocsin up`, or in a cluster: the routes and a token are all it sees to."""
    first = await start(ports, None)
    assert not first.simulated
    assert first.admin_token
    assert await sources(ports) == {}


async def test_the_simulator_is_followed_to_where_it_listens_now(ports: Ports) -> None:
    await start(ports)
    await start(ports, replace(SIMULATOR, base_url="http://127.0.0.1:9999"))
    assert [source.base_url for source in (await sources(ports)).values()] == ["http://127.0.0.1:9999"]


async def test_what_people_changed_stays_changed(ports: Ports, clock: FakeClock) -> None:
    """A budget that was deleted does not come back, nor does the terminal."""
    await start(ports)
    author = Author("token:ann", clock())
    async with ports.uow() as uow:
        for budget in await uow.budgets.all():
            await delete(uow, Budgets(), budget, author)
        (receiver,) = await uow.receivers.all()
        mail = Receiver((Email(("finops@example.com",)),))
        await change(uow, Receivers(), receiver, Draft("finops", {}, mail), author)
    before = await configuration(ports)
    await start(ports)
    assert await configuration(ports) == before


async def test_a_simulator_that_was_disabled_stays_so(ports: Ports, clock: FakeClock) -> None:
    await start(ports)
    async with ports.uow() as uow:
        (source,) = await uow.sources.all()
        off = Draft(source.name, source.labels, replace(source.spec, enabled=False))
        await change(uow, Sources(), source, off, Author("token:ann", clock()))
    assert not (await start(ports)).simulated


async def test_a_key_that_is_set_later_replaces_the_simulator(ports: Ports) -> None:
    await start(ports)
    first = await start(ports, CLAUDE)
    assert not first.simulated
    assert {name: source.enabled for name, source in (await sources(ports)).items()} == {
        "simulator": False,
        "claude": True,
    }


async def test_a_key_that_is_taken_away_does_not_bring_the_simulator_back(ports: Ports) -> None:
    await start(ports)
    await start(ports, CLAUDE)
    before = await configuration(ports)
    assert not (await start(ports, SIMULATOR)).simulated
    assert await configuration(ports) == before


# ------------------------------------------------------------- settings that differ from what is stored

CORRECTED = replace(CLAUDE, admin_key="sk-ant-admin01-FAKE-newer")
MOVED = replace(CLAUDE, base_url="https://other.example")


async def read_once(ports: Ports) -> None:
    """The source has succeeded."""
    async with ports.uow() as uow:
        (source,) = await uow.sources.all()
        state = await uow.polling_states.get(source.id)
        await uow.polling_states.save(replace(state, cost_read_at=ports.clock()))


async def test_another_key_in_the_environment_leaves_a_source_alone_that_was_read_and_says_so(ports: Ports) -> None:
    """A source is configured over REST; the environment only gives the first one."""
    await start(ports, CLAUDE)
    await read_once(ports)
    again = await start(ports, CORRECTED)
    ((_, source),) = (await sources(ports)).items()
    assert ports.vault.open(source.admin_key) == CLAUDE.admin_key
    assert again.remarks == (
        "ANTHROPIC_ADMIN_KEY (...ewer) is not used: the source 'claude' keeps its stored key ...real; to change it,"
        " PATCH /v1/sources/claude with admin_key",
    )


@pytest.mark.parametrize("correction", [CORRECTED, MOVED], ids=["key", "address"])
async def test_a_source_that_was_never_read_takes_a_correction_and_is_polled_with_it(
    ports: Ports, correction: FirstSource
) -> None:
    await start(ports, CLAUDE)
    again = await start(ports, correction)
    ((_, source),) = (await sources(ports)).items()
    assert ports.vault.open(source.admin_key) == correction.admin_key
    assert source.base_url == correction.base_url
    (remark,) = again.remarks
    assert f"from now on it is read at {correction.base_url} with the key ...{correction.admin_key[-4:]}" in remark
    assert correction.admin_key not in remark
    assert (await start(ports, correction)).remarks == (), "said once"


async def test_another_address_leaves_a_source_alone_that_was_read_and_says_so(ports: Ports) -> None:
    await start(ports, CLAUDE)
    await read_once(ports)
    (remark,) = (await start(ports, MOVED)).remarks
    assert remark.startswith("ANTHROPIC_BASE_URL (https://other.example) is not used: the source 'claude' keeps its")
    assert [source.base_url for source in (await sources(ports)).values()] == [CLAUDE.base_url]


async def test_another_interval_is_said_where_somebody_has_set_it(ports: Ports) -> None:
    await start(ports, CLAUDE)
    other = replace(CLAUDE, poll_interval=timedelta(hours=1))
    assert (await start(ports, other)).remarks == (), "the default is nobody's wish"
    (remark,) = (await start(ports, replace(other, names_interval=True))).remarks
    assert remark.startswith("TOCSIN_POLL_INTERVAL (1h) is not used: the source 'claude' is polled every 10m;")


async def test_a_rotated_secret_key_makes_no_other_key_of_the_same_one(ports: Ports) -> None:
    rotating = replace(ports, vault=FernetVault("a newer secret key,a secret key of the tests"))
    await start(ports, CLAUDE)
    await read_once(ports)
    assert (await start(rotating, CLAUDE)).remarks == ()


async def test_a_disabled_source_takes_no_correction(ports: Ports, clock: FakeClock) -> None:
    await start(ports, CLAUDE)
    async with ports.uow() as uow:
        (source,) = await uow.sources.all()
        off = Draft(source.name, source.labels, replace(source.spec, enabled=False))
        await change(uow, Sources(), source, off, Author("token:ann", clock()))
    (remark,) = (await start(ports, CORRECTED)).remarks
    assert "is not used" in remark
    assert ports.vault.open((await sources(ports))["claude"].admin_key) == CLAUDE.admin_key


# ------------------------------------------------------------------------------------------ tokens


async def test_the_first_token_is_made_up_shown_once_and_opens_the_door(ports: Ports) -> None:
    secret = (await start(ports)).admin_token
    assert secret is not None
    token = await run_authenticate(ports, secret)
    assert token is not None
    assert token.role is Role.ADMIN
    assert secret not in repr(await run_list_tokens(about_tokens(ports)))
    assert (await start(ports)).admin_token is None


async def test_the_environment_s_token_is_taken_instead_and_shown_nowhere(ports: Ports) -> None:
    for _ in range(2):
        assert (await start(ports, token=GIVEN)).admin_token is None
    assert len(await run_list_tokens(about_tokens(ports))) == 1
    token = await run_authenticate(ports, GIVEN)
    assert token is not None
    assert token.role is Role.ADMIN


async def test_the_environment_s_token_joins_those_that_are_there(ports: Ports) -> None:
    secret = (await start(ports)).admin_token
    assert secret is not None
    await start(ports, token=GIVEN)
    assert await run_authenticate(ports, secret)
    assert await run_authenticate(ports, GIVEN)


async def test_a_start_whose_tokens_are_all_revoked_makes_up_none(ports: Ports) -> None:
    """Whoever revoked the last one meant it: a restart is no way in."""
    await start(ports)
    (token,) = await run_list_tokens(about_tokens(ports))
    await run_revoke_token(about_tokens(ports), token.id)
    assert (await start(ports)).admin_token is None


async def test_an_environment_s_token_that_was_revoked_stays_so_and_the_start_goes_on(ports: Ports) -> None:
    await start(ports, token=GIVEN)
    (token,) = await run_list_tokens(about_tokens(ports))
    await run_revoke_token(about_tokens(ports), token.id)
    assert (await start(ports, token=GIVEN)).admin_token is None
    assert await run_authenticate(ports, GIVEN) is None
    assert len(await run_list_tokens(about_tokens(ports))) == 1


@pytest.mark.parametrize("token", [None, GIVEN], ids=["made up", "environment"])
async def test_processes_that_start_at_once_make_one_of_everything(ports: Ports, token: str | None) -> None:
    starts = await asyncio.gather(*(start(ports, token=token) for _ in range(4)))
    assert len([one for one in starts if one.admin_token]) == (1 if token is None else 0)
    assert len(await run_list_tokens(about_tokens(ports))) == 1
    assert list(await sources(ports)) == ["simulator"]
    async with ports.uow() as uow:
        assert len(await uow.routes.all()) == 1
        assert len(await uow.receivers.all()) == 1
