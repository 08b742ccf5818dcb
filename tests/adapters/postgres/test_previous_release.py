"""Release 0.3.0 runs beside this one while it is replaced: it finds no word in a shared table that it does not know.

What it reads is listed in `release_0_3_0.py`. A new word stands in a column of its own, beside one that it knows.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

import service.adapters.postgres.unit_of_work  # noqa: F401 - whose stores hold all tables
from service.adapters.postgres.alerts.kinds import known_alert
from service.adapters.postgres.alerts.reasons import reason_columns
from service.adapters.postgres.codec import encode
from service.adapters.postgres.column_types import Word
from service.adapters.postgres.metadata import metadata
from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason, apply
from service.domain.alerts.evidence import ALERT_KINDS, Evidence
from service.domain.notify.channels.registry import KINDS
from service.domain.notify.undelivered import NO_SOURCE
from service.workflows.ports.alerts import FiringAlert
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres.release_0_3_0 import CHANNELS, EVIDENCE, WORDS
from tests.sample_alerts import ALERT, DRILL, INCOMPLETE, OPENED, RULE, SILENCE_ENDS, STALE, UNDELIVERED, UNPRICED
from tests.sample_alerts import EVIDENCE as BUDGET

_EVERY = (BUDGET, RULE, STALE, UNDELIVERED, SILENCE_ENDS, UNPRICED, INCOMPLETE, DRILL)
SAMPLES: dict[str, Evidence] = {one.kind: one for one in _EVERY}
NEW_KINDS = sorted(set(ALERT_KINDS) - WORDS["alerts.kind"])
SHARED = [
    (f"{table.name}.{column.name}", column.type.words)
    for table in metadata.tables.values()
    for column in table.columns
    if isinstance(column.type, Word) and f"{table.name}.{column.name}" in WORDS
]


def about(evidence: Evidence) -> Alert:
    return replace(ALERT, kind=evidence.kind, source_id=NO_SOURCE, evidence=evidence)


@pytest.mark.parametrize(("column", "words"), [pytest.param(*one, id=one[0]) for one in SHARED])
def test_every_word_of_a_shared_column_is_known_to_it(column: str, words: type[Reason]) -> None:
    stored = {reason_columns(word)["reason"] if words is Reason else word for word in words}
    assert stored <= WORDS[column]


@pytest.mark.parametrize("kind", ALERT_KINDS)
def test_every_alert_is_stored_as_one_that_it_reads(kind: str) -> None:
    stored = encode(known_alert(about(SAMPLES[kind])))
    assert isinstance(stored, dict)
    assert isinstance(stored["evidence"], dict)
    assert stored["kind"] in WORDS["alerts.kind"]
    assert EVIDENCE[str(stored["kind"])] <= stored["evidence"].keys()


def test_a_receiver_with_a_channel_that_it_cannot_read_is_in_the_list_of_changes() -> None:
    """Such a one is made by a person. Without that channel it would leave out who is to be notified."""
    assert set(KINDS) - CHANNELS == {"discord"}


@pytest.mark.parametrize("kind", NEW_KINDS)
async def test_an_alert_of_a_new_kind_and_its_events_are_read_as_they_were(uow: UowFactory, kind: str) -> None:
    opened = AlertEvent(about(SAMPLES[kind]), OPENED, Command.OPEN, "tocsin", Reason.FIRST)
    taken = apply(opened.alert, Command.ACKNOWLEDGE, actor="ann", reason=Reason.PERSON, now=OPENED)
    async with uow() as unit:
        await unit.alerts.save(opened)
        assert await unit.alerts.firing() == [FiringAlert(ALERT.id, kind, ALERT.severity)]
        await unit.alerts.save(taken)
    async with uow() as unit:
        assert await unit.alerts.open(NO_SOURCE) == [await unit.alerts.get(ALERT.id)] == [taken.alert]
        assert await unit.alerts.events(ALERT.id) == [opened, taken]


@pytest.mark.parametrize("kind", NEW_KINDS)
async def test_it_does_not_watch_an_alert_of_a_new_kind_and_may_move_it(
    uow: UowFactory, engine: AsyncEngine, kind: str
) -> None:
    """It ends what it finds no reason for, of every source that it watches."""
    async with uow() as unit:
        await unit.alerts.save(AlertEvent(about(SAMPLES[kind]), OPENED, Command.OPEN, "tocsin", Reason.FIRST))
    async with engine.begin() as connection:
        watched = text("SELECT id FROM alerts WHERE source_id = ''")
        assert (await connection.execute(watched)).all() == []
        moved = "UPDATE alerts SET version = 2, state = 'acknowledged', acknowledged_by = 'ann', evidence = evidence"
        await connection.execute(text(moved))
    async with uow() as unit:
        (alert,) = await unit.alerts.open(NO_SOURCE)
    assert (alert.state, alert.kind, alert.evidence) == (AlertState.ACKNOWLEDGED, kind, SAMPLES[kind])
