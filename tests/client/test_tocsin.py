"""The typed client against the API itself: what it writes is taken, and what it reads has the API's own form."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from service.api.alerts.drills import DrillIn
from service.api.budgets.budgets import BudgetIn
from service.api.notify.receivers import ReceiverIn
from service.api.rules.rules import RuleIn
from service.api.sources.sources import SourceIn
from service.api.spend.breakdown import DivideBy
from service.cli.serving import serving
from service.client.errors import NothingThere, ValueRefused, VersionStale
from service.client.server import Server
from service.client.spend import SpendOf
from service.client.tocsin import TocsinClient
from service.domain.alerts.alert import AlertState
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.severity import Severity
from tests.api.stand import BUDGET, ENG, SLACK, SOURCE, Stand

SECRET = "tcn_FAKE-admin-token-of-the-tests"


async def test_what_is_written_is_read_again_with_its_secrets_sealed(stand: Stand) -> None:
    def configure(tocsin: TocsinClient) -> None:
        source = tocsin.sources.create(SourceIn.model_validate({**SOURCE, "poll_interval": "10m"}))
        assert (source.poll_interval, source.admin_key.hint) == ("10m", "...tion"), "the key itself, and not its stars"
        receiver = tocsin.receivers.create(ReceiverIn.model_validate({"name": "eng", "channels": [SLACK]}))
        assert receiver.channels[0].kind == "slack"
        budget = tocsin.budgets.create(BudgetIn.model_validate(BUDGET))
        assert Money.of(budget.amount) == Money.of("100.00")
        tocsin.rules.create(RuleIn.model_validate({"name": "jumps", "kind": "change", "gates": {"pending_for": "2h"}}))
        changed = tocsin.budgets.change("eng monthly", {"amount": "200.00"}, version=budget.version)
        assert changed.version == budget.version + 1
        with pytest.raises(VersionStale):
            tocsin.budgets.delete(budget.id, version=budget.version)
        with pytest.raises(ValueRefused) as refused:
            tocsin.budgets.change(budget.id, {"amount": 5})
        assert [one.pointer for one in refused.value.mistakes] == ["/amount"]
        tocsin.budgets.delete(budget.id)
        with pytest.raises(NothingThere):
            tocsin.budgets.get(budget.id)
        assert [one.name for one in tocsin.rules.list()] == ["jumps"]

    await asked(stand, configure)


async def test_figures_alerts_and_what_people_do_with_them(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    await stand.create("/receivers", {"name": "spare", "channels": [{"kind": "console"}]})
    now = stand.clock()
    await stand.ports.storage.make_room(Window(now - timedelta(days=40), now + timedelta(days=1)))
    await stand.spend(ENG, "80.00")

    def ask(tocsin: TocsinClient) -> None:
        since = datetime(2026, 11, 1, tzinfo=UTC)
        by_workspace = tocsin.spend.breakdown(SpendOf(since=since), DivideBy.WORKSPACE)
        assert [(one.id, Decimal(one.amount)) for one in by_workspace.items] == [("wrkspc_eng", Decimal(80))]
        assert len(tocsin.spend.series(SpendOf(since=since, workspace=("wrkspc_eng",))).items) == 16
        assert [one.percent for one in tocsin.spend.budgets()] == [80.0]
        begun = tocsin.alerts.drill(DrillIn(severity=Severity.WARNING, labels={"team": "eng"}))
        assert [one.id for one in tocsin.alerts.list(state=[AlertState.FIRING], since=since)] == [begun.alert.id]
        assert tocsin.alerts.snooze(begun.alert.id, timedelta(hours=1)).snoozed_until == now + timedelta(hours=1)
        assert tocsin.alerts.hand_on(begun.alert.id, "spare", "yours").handed_to == "spare"
        assert tocsin.alerts.acknowledge(begun.alert.id, "mine").state is AlertState.ACKNOWLEDGED
        assert tocsin.alerts.resolve(begun.alert.id).events[-1].command == "resolve"
        assert tocsin.alerts.get(begun.alert.id).state is AlertState.RESOLVED
        assert tocsin.alerts.explain(budget="eng monthly").items[0].threshold == "actual:80%"

    await asked(stand, ask)


async def asked(stand: Stand, question: object) -> None:
    """Asks the API over a socket, from another thread than it is served in."""
    assert callable(question)
    async with serving(stand.app) as url:
        with TocsinClient(Server(url, SECRET)) as tocsin:
            await asyncio.to_thread(question, tocsin)
