"""Rules that are stored stay usable when a release refuses their terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.rules.kinds.first_seen import FirstSeen
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.values.errors import Invalid
from service.domain.values.resources import Resource
from service.workflows.configuration.rules import Rules
from tests.workflows.yard import Yard


async def stored_with_a_wait_that_is_refused(yard: Yard) -> Resource[Rule[object]]:
    spec: Rule[object] = Rule(yard.source.id, "first_seen", FirstSeen(within_days=1), gates=KINDS["first_seen"].gates)
    made = await yard.create(Rules(), "new key", spec)
    waits = replace(spec, gates=replace(spec.gates, pending_for=timedelta(days=2)))
    stored = replace(made, spec=waits, version=made.version + 1)
    async with yard.ports.uow() as uow:
        await uow.rules.replace(stored)
    return stored


async def test_a_stored_rule_that_would_be_refused_by_now_can_be_switched_off(yard: Yard) -> None:
    stored = await stored_with_a_wait_that_is_refused(yard)
    off = await yard.change(Rules(), stored, replace(stored.spec, enabled=False))
    assert not off.spec.enabled


async def test_its_terms_are_refused_once_they_are_changed(yard: Yard) -> None:
    stored = await stored_with_a_wait_that_is_refused(yard)
    longer = replace(stored.spec, gates=replace(stored.spec.gates, pending_for=timedelta(days=3)))
    with pytest.raises(Invalid):
        await yard.change(Rules(), stored, longer)
