"""Composing a digest: its figures as they are stored, its message, and the chart beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from service.domain.alerts.alert import Alert, AlertEvent
from service.domain.alerts.evidence import OriginKind
from service.domain.charts.chart import Theme
from service.domain.charts.specification import specification
from service.domain.digests.alerts import Tally, concerns, tally
from service.domain.digests.chart import digest_chart, pieces
from service.domain.digests.digest import AtRisk, Digest, DigestPlan, Figures, Occasion, build, risks
from service.domain.digests.phrases import digest_message
from service.domain.digests.runs import DigestRun
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.traits import ChartUse
from service.domain.notify.notification import Action, Delivery, Picture
from service.domain.sources.source import SourceKind
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import Scope
from service.workflows.budgets import forecast_statuses
from service.workflows.charts.picture import run_unless_it_fails
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.naming import names_of


async def run_compose(
    ports: Ports, run: DigestRun, plan: DigestPlan, digest: Digest, channels: Mapping[str, ChannelConfig]
) -> dict[str, Delivery]:
    """The delivery for each channel, by its key. The chart is drawn once for all channels that carry it."""
    message = digest_message(digest, run.id, ports.public_url)
    carrying = {key for key, channel in channels.items() if channel.traits.chart is ChartUse.CARRIED}
    picture = await _run_picture(ports, plan, digest) if carrying else None
    return {
        key: Delivery(
            id=f"{run.id}-{key.rpartition(':')[2]}",
            action=Action.OPEN,
            message=message,
            post=None,
            at=ports.clock(),
            picture=picture if key in carrying else None,
        )
        for key in channels
    }


# ------------------------------------------------------------------------------------------ the figures


async def digest_of(uow: UnitOfWork, digest: Resource[DigestPlan], run: DigestRun, now: datetime) -> Digest:
    """A run's figures as they are known now."""
    plan = digest.spec
    source = await uow.sources.get(plan.source_id)
    occasion = Occasion(
        name=digest.name,
        window=run.window,
        before=run.before,
        names=await names_of(uow, await uow.polling_states.get(plan.source_id)),
        simulated=source.spec.kind is SourceKind.SIMULATOR,
    )
    figures = Figures(
        now=await uow.facts.spend(plan.source_id, run.window, now),
        before=await uow.facts.spend(plan.source_id, run.before, now),
    )
    return build(plan, occasion, figures, await _at_risk(uow, plan, now), await _tally(uow, plan, run.window))


async def _at_risk(uow: UnitOfWork, plan: DigestPlan, now: datetime) -> list[AtRisk]:
    found: list[AtRisk] = []
    for budget in await uow.budgets.all():
        if budget.spec.source_id == plan.source_id and budget.spec.enabled:
            found += risks(budget, plan, await forecast_statuses(uow, budget, now), now)
    return found


async def _tally(uow: UnitOfWork, plan: DigestPlan, window: Window) -> Tally:
    moves = await uow.alerts.moves(plan.source_id, window)
    origins = await _origins(uow)
    concerning = [
        event for event in moves if concerns(plan.scope, event.alert.scope, origins.get(_origin(event.alert), Scope()))
    ]
    return tally(concerning, await uow.feedback.of_rules(_rules(concerning)))


async def _origins(uow: UnitOfWork) -> dict[str, Scope]:
    """The scopes of budgets and rules by their id."""
    return {
        **{budget.id: budget.spec.scope for budget in await uow.budgets.all()},
        **{rule.id: rule.spec.scope for rule in await uow.rules.all()},
    }


def _origin(alert: Alert) -> str:
    """The id of the budget or rule that an alert is of; empty where it is of none."""
    origin = alert.evidence.origin
    return origin.id if origin else ""


def _rules(moves: list[AlertEvent]) -> set[str]:
    origins = [move.alert.evidence.origin for move in moves]
    return {origin.id for origin in origins if origin and origin.kind is OriginKind.RULE}


# -------------------------------------------------------------------------------------------- the chart


async def _run_picture(ports: Ports, plan: DigestPlan, digest: Digest) -> Picture | None:
    """The digest goes out without a chart that cannot be drawn."""
    return await run_unless_it_fails(ports, "digest", lambda: _run_draw(ports, plan, digest))


async def _run_draw(ports: Ports, plan: DigestPlan, digest: Digest) -> Picture:
    now = ports.clock()
    async with ports.uow() as uow:
        spent = await _spent(uow, plan, pieces(digest.window, digest.timezone), now)
        before = await _spent(uow, plan, pieces(digest.before, digest.timezone), now)
    chart = digest_chart(digest, spent, before)
    return Picture(await ports.charts.png(specification(chart, Theme.LIGHT)), chart.alt, url=None)


async def _spent(uow: UnitOfWork, plan: DigestPlan, windows: Iterable[Window], now: datetime) -> list[Money]:
    """Reads spend as the digest itself does, so that the pieces add up to what it says."""
    amounts = []
    for window in windows:
        spend = await uow.facts.spend(plan.source_id, window, now)
        amounts.append(Money.total(one.total for cell, one in spend.items() if plan.scope.holds(cell)))
    return amounts
