"""Tokens, the audit log, and requests that are repeated."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.access import AuditEvent, KeptAnswer, Role, Token
from service.domain.values.errors import NotFound
from service.workflows.ports.unit_of_work import UowFactory
from tests.factories import utc

NOW = utc("2026-11-16T12:00")
TOKEN = Token("tok_1", "ci", Role.OPERATOR, "digest-1", "...abcd", NOW)
ANSWER = KeptAnswer("request-1", 201, '{"id": "bdg_1"}', (("ETag", '"1"'),))


async def test_a_token_is_found_by_its_digest_and_a_revoked_one_says_so(uow: UowFactory) -> None:
    async with uow() as unit:
        await unit.tokens.add(TOKEN)
        assert await unit.tokens.find("digest-1") == TOKEN
        assert await unit.tokens.find("digest-2") is None
        await unit.tokens.revoke("tok_1", NOW)
        assert await unit.tokens.find("digest-1") == replace(TOKEN, revoked_at=NOW)


async def test_a_token_is_revoked_once_and_stays_listed(uow: UowFactory) -> None:
    async with uow() as unit:
        await unit.tokens.add(TOKEN)
        await unit.tokens.revoke("tok_1", NOW)
        await unit.tokens.revoke("tok_1", NOW + timedelta(days=1))
        page = await unit.tokens.page(limit=5, cursor=None)
        with pytest.raises(NotFound):
            await unit.tokens.revoke("tok_9", NOW)
    assert page.items == (replace(TOKEN, revoked_at=NOW),)


async def test_the_audit_log_is_listed_newest_first(uow: UowFactory) -> None:
    events = [AuditEvent(f"aud_{n}", NOW, "ci", "budget.create", "bdg_1", "") for n in range(3)]
    async with uow() as unit:
        for event in events:
            await unit.audit.add(event)
        page = await unit.audit.page(limit=2, cursor=None)
        rest = await unit.audit.page(limit=2, cursor=page.next)
    assert [*page.items, *rest.items] == events[::-1]


async def test_the_audit_log_cannot_be_rewritten(uow: UowFactory, engine: AsyncEngine) -> None:
    async with uow() as unit:
        await unit.audit.add(AuditEvent("aud_1", NOW, "ci", "budget.create", "bdg_1", ""))
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE audit_events SET actor = 'nobody'"))


async def _pass(engine: AsyncEngine, time: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(f"UPDATE idempotency_keys SET kept_at = kept_at - interval '{time}'"))


async def test_an_answer_is_kept_for_a_day_under_its_token_and_key(uow: UowFactory, engine: AsyncEngine) -> None:
    async with uow() as unit:
        await unit.idempotency.keep("tok_1", "key", ANSWER)
    await _pass(engine, "23:59")
    async with uow() as unit:
        assert await unit.idempotency.find("tok_1", "key") == ANSWER
        assert await unit.idempotency.find("tok_2", "key") is None
        assert await unit.idempotency.find("tok_1", "other") is None
    await _pass(engine, "00:02")
    async with uow() as unit:
        assert await unit.idempotency.find("tok_1", "key") is None


async def test_a_key_can_be_used_anew_after_its_day(uow: UowFactory, engine: AsyncEngine) -> None:
    another = replace(ANSWER, request_digest="request-2")
    async with uow() as unit:
        await unit.idempotency.keep("tok_1", "key", ANSWER)
    await _pass(engine, "25:00")
    async with uow() as unit:
        await unit.idempotency.keep("tok_1", "key", another)
        assert await unit.idempotency.find("tok_1", "key") == another


async def test_equal_requests_at_once_run_one_after_the_other_and_act_once(uow: UowFactory) -> None:
    acted: list[str] = []

    async def request(name: str) -> KeptAnswer:
        async with uow() as unit:
            kept = await unit.idempotency.find("tok_1", "key")
            if kept is not None:
                return kept
            acted.append(name)
            await unit.idempotency.keep("tok_1", "key", ANSWER)
            return ANSWER

    async with asyncio.timeout(20):
        answers = await asyncio.gather(*(request(name) for name in "abcd"))
    assert answers == [ANSWER] * 4
    assert len(acted) == 1


async def test_requests_with_other_keys_do_not_wait(uow: UowFactory) -> None:
    async with asyncio.timeout(20), uow() as first, uow() as second:
        assert await first.idempotency.find("tok_1", "a") is None
        assert await second.idempotency.find("tok_1", "b") is None
