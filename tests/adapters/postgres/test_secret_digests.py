"""Secrets of an earlier release: their digests are keyed once, and everything goes on being known by its name."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import psycopg
import pytest

from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.secret_digests import key_digests
from service.adapters.vault import FernetVault
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.channels.teams import Teams
from service.domain.notify.receivers import Receiver, channel_key
from service.domain.values.resources import Resource, Sealed
from service.workflows.ports.unit_of_work import UowFactory
from tests.factories import claude_source, resource

VAULT = FernetVault("FAKE key of the vault")
KEY, TOKEN, ADDRESS = "sk-ant-admin01-FAKE", "xoxb-FAKE", "https://example.webhook.office.com/FAKE"


def bare(secret: str) -> Sealed:
    """A secret as release 0.3 stored it."""
    return replace(VAULT.seal(secret), digest=hashlib.sha256(secret.encode()).hexdigest()[:16])


@pytest.fixture
async def receiver(uow: UowFactory) -> Resource[Receiver]:
    """Stored by an earlier release, beside a source, each in two versions."""
    source = resource("src_1", replace(claude_source(), admin_key=bare(KEY)))
    channels = (SlackBot(token=bare(TOKEN), channel="#claude-spend"), Teams(webhook_url=bare(ADDRESS)))
    receiver = resource("rcv_1", Receiver(channels))
    async with uow() as unit:
        await unit.sources.add(source)
        await unit.receivers.add(receiver)
        await unit.sources.replace(replace(source, version=2))
        await unit.receivers.replace(replace(receiver, version=2))
    return receiver


async def test_a_guessed_secret_cannot_be_held_against_what_is_stored(
    uow: UowFactory, database_url: str, receiver: Resource[Receiver]
) -> None:
    assert key_digests(database_url, VAULT.keyed) == 2 + 2 * 2  # each as it is, and its versions
    async with uow() as unit:
        source, stored = await unit.sources.get("src_1"), await unit.receivers.get("rcv_1")
    assert source.spec.admin_key.digest == VAULT.seal(KEY).digest
    assert VAULT.open(source.spec.admin_key) == KEY
    assert isinstance(stored.spec.channels[0], SlackBot)
    assert stored.spec.channels[0].token.digest == VAULT.seal(TOKEN).digest
    with psycopg.connect(libpq_url(database_url)) as connection:
        for table in ("resources", "resource_versions"):
            specs = connection.execute(f"SELECT string_agg(spec::text, '') FROM {table}").fetchone()
            assert specs is not None
            assert bare(KEY).digest not in specs[0]
            assert bare(TOKEN).digest not in specs[0]


async def test_channels_are_still_known_by_their_keys(
    uow: UowFactory, database_url: str, receiver: Resource[Receiver]
) -> None:
    key_digests(database_url, VAULT.keyed)
    async with uow() as unit:
        stored = await unit.receivers.get("rcv_1")
    assert [channel_key(one) for one in stored.spec.channels] == [channel_key(one) for one in receiver.spec.channels]


async def test_a_second_time_nothing_changes(database_url: str, receiver: Resource[Receiver]) -> None:
    key_digests(database_url, VAULT.keyed)
    assert key_digests(database_url, VAULT.keyed) == 0


async def test_stored_versions_refuse_changes_again_afterwards(database_url: str, receiver: Resource[Receiver]) -> None:
    key_digests(database_url, VAULT.keyed)
    with psycopg.connect(libpq_url(database_url)) as connection, pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute("UPDATE resource_versions SET name = 'another'")
