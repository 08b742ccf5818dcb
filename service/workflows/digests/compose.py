"""Composing a digest: its figures as they are stored, its message, and the chart beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import structlog

from service.domain.alerts.alert import Alert, AlertEvent
from service.domain.alerts.evidence import OriginKind
from service.domain.charts.chart import Theme, wall
from service.domain.charts.specification import specification
from service.domain.digests.alerts import Tally, tally
from service.domain.digests.caching import whole_days
from service.domain.digests.chart import digest_chart, pieces, step_of
from service.domain.digests.digest import (
    BudgetStand,
    Digest,
    DigestContent,
    DigestPlan,
    Figures,
    LoudRule,
    Occasion,
    build,
    stands_of,
)
from service.domain.digests.phrases import digest_message
from service.domain.digests.runs import DigestRun
from service.domain.digests.shares import DigestPart, Share
from service.domain.digests.usage import file_name
from service.domain.forecasts.recent import daily_spends
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.traits import DRAWN
from service.domain.notify.notification import Action, Attachment, Delivery, Picture
from service.domain.rules.wording import approximate
from service.domain.sources.source import Source, SourceKind
from service.domain.spend.claude_code import CodeActivity, by_day, grouped, of_actors
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.calendars import local_date, zone_of
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import EVERYTHING, FINEST, ORGANISATION, Dimension, Scope, tells_spenders
from service.domain.values.utc import DAY, midnight
from service.workflows.budgets.statuses import forecast_statuses
from service.workflows.charts.kept import amounts_of, figures_of
from service.workflows.charts.picture import run_unless_it_fails
from service.workflows.digests.caching import caching_of
from service.workflows.digests.usage import usage_of
from service.workflows.notify.page_links import linked
from service.workflows.ports.platform import ChartError
from service.workflows.ports.unit_of_work import Ports, PriceBooks, UnitOfWork
from service.workflows.sources.naming import names_of
from service.workflows.spend import unknown_days

log = structlog.get_logger(__name__)

HISTORY = 28 * DAY
"""Before a digest's period: it says what is usual."""


async def run_compose(
    ports: Ports,
    run: DigestRun,
    plan: DigestPlan,
    digest: Digest,
    receiver_id: str,
    channels: Mapping[str, ChannelConfig],
) -> dict[str, Delivery]:
    """The delivery for each channel of a receiver, by its key. The chart is drawn once for all that carry it."""
    message = digest_message(digest, run.id, ports.public_url)
    carrying = {key for key, channel in channels.items() if channel.traits.chart in DRAWN}
    picture = await _run_picture(ports, plan, digest) if carrying else None
    return {
        key: Delivery(
            id=_message_id(run, plan, receiver_id, key),
            action=Action.OPEN,
            message=linked(ports, message, receiver_id, channel),
            post=None,
            at=ports.clock(),
            picture=picture if key in carrying else None,
            attachment=_file(digest),
        )
        for key, channel in channels.items()
    }


def _message_id(run: DigestRun, plan: DigestPlan, receiver_id: str, key: str) -> str:
    """The same at every attempt. Two owners at one address have messages of their own: neither is a copy."""
    whose = f"-{receiver_id}" if plan.to_owner else ""
    return f"{run.id}{whose}-{key.rpartition(':')[2]}"


def _file(digest: Digest) -> Attachment | None:
    if digest.usage is None:
        return None
    return Attachment(file_name(digest.window, digest.timezone), "text/csv", digest.usage.csv)


# ------------------------------------------------------------------------------------------ the figures


async def digest_of(
    uow: UnitOfWork,
    books: PriceBooks,
    digest: Resource[DigestPlan],
    run: DigestRun,
    now: datetime,
    share: Share | None = None,
) -> Digest:
    """A run's figures as they are known now, or those of a share of it.

    A share has no caching and no Claude Code, of which it is not known whose they are; rules are for who has the rest.
    """
    plan = digest.spec
    source = await uow.sources.get(plan.source_id)
    occasion = Occasion(
        name=digest.name,
        window=run.window,
        before=run.before,
        names=await names_of(uow, await uow.polling_states.get(plan.source_id)),
        simulated=source.spec.kind is SourceKind.SIMULATOR,
        share=share,
    )
    part = DigestPart(plan.scope, share)
    figures = Figures(
        now=await uow.facts.spend(plan.source_id, run.window, now, FINEST | plan.scope.grain),
        before=await uow.facts.spend(plan.source_id, run.before, now, FINEST | plan.scope.grain),
    )
    budgets, tally = await _budgets(uow, plan, part, now), await _tally(uow, plan, part, run.window)
    built = build(plan, occasion, figures, budgets, tally)
    usage = await usage_of(uow, plan, occasion, figures, now) if plan.content is DigestContent.USAGE else None
    return replace(
        built,
        loud_rules=await _loud_rules(uow, plan) if share is None or share.is_the_rest else (),
        caching=await caching_of(uow, books, plan, run) if share is None else None,
        usage=usage,
        unknown_days=await unknown_days(uow, plan.source_id, run.window, now),
        unknown_days_before=await unknown_days(uow, plan.source_id, run.before, now),
        claude_code=await _claude_code(uow, source, plan, run) if share is None else None,
    )


async def _claude_code(
    uow: UnitOfWork, source: Resource[Source], plan: DigestPlan, run: DigestRun
) -> CodeActivity | None:
    """Adds up whole UTC days, of the organisation or some of its people: by workspace or model nothing is told."""
    window = whole_days(run.window)
    if not source.spec.claude_code or window is None or plan.scope != replace(EVERYTHING, actors=plan.scope.actors):
        return None
    days = [of_actors(day, plan.scope.actors) for day in await uow.claude_code.days(source.id, window)]
    return sum(grouped(days, by_day).values(), CodeActivity())


async def _loud_rules(uow: UnitOfWork, plan: DigestPlan) -> tuple[LoudRule, ...]:
    """The enabled rules of the source that give more false alerts than is promised, as they are now."""
    mine = {
        rule.id: rule
        for rule in await uow.rules.readable()
        if rule.spec.source_id == plan.source_id and rule.spec.enabled
    }
    made = await uow.calibrations.of(mine)
    return tuple(
        LoudRule(
            mine[id].name,
            one.false_a_quarter(one.own),
            one.critical_a_quarter(one.own),
            one.proposal.setting if one.proposal else "",
        )
        for id, one in made.items()
        if one.rule_version == mine[id].version and not one.keeps(one.own)
    )


async def _budgets(uow: UnitOfWork, plan: DigestPlan, part: DigestPart, now: datetime) -> list[BudgetStand]:
    found: list[BudgetStand] = []
    for budget in await uow.budgets.readable():
        if budget.spec.source_id == plan.source_id and budget.spec.enabled:
            found += stands_of(budget, part, await forecast_statuses(uow, budget, now), now)
    return found


async def _tally(uow: UnitOfWork, plan: DigestPlan, part: DigestPart, window: Window) -> Tally:
    moves = await uow.alerts.moves(plan.source_id, window)
    origins = await _origins(uow)
    concerning = [event for event in moves if part.has_alert(event.alert, origins.get(_origin(event.alert), Scope()))]
    return tally(concerning, await uow.feedback.of_rules(_rules(concerning)))


async def _origins(uow: UnitOfWork) -> dict[str, Scope]:
    """The scopes of budgets and rules by their id."""
    return {
        **{budget.id: budget.spec.scope for budget in await uow.budgets.readable()},
        **{rule.id: rule.spec.scope for rule in await uow.rules.readable()},
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
    return await run_unless_it_fails(ports, "digest", lambda: run_draw(ports, plan, digest, Theme.LIGHT))


async def run_png(ports: Ports, plan: DigestPlan, digest: Digest, run_id: str, theme: Theme) -> bytes | None:
    """Returns the chart for a page; None where it cannot be drawn."""
    try:
        return (await run_draw(ports, plan, digest, theme)).png
    except ChartError as error:
        log.warning("chart_failed", run_id=run_id, reason=str(error))
        return None


async def run_draw(ports: Ports, plan: DigestPlan, digest: Digest, theme: Theme) -> Picture:
    """Raises ChartError."""
    now, part = ports.clock(), DigestPart(plan.scope, digest.share)
    async with ports.uow() as uow:
        spent = await _spent(uow, plan, part, pieces(digest.window, digest.timezone), now)
        before = await _spent(uow, plan, part, pieces(digest.before, digest.timezone), now)
        history = await _history(uow, plan, digest, now)
    chart = digest_chart(digest, spent, before, history)
    return Picture(await ports.charts.png(specification(chart, theme)), chart.alt, url=None)


async def _spent(
    uow: UnitOfWork, plan: DigestPlan, part: DigestPart, windows: Iterable[Window], now: datetime
) -> list[Money]:
    """Reads spend as the digest itself does, so that the pieces add up to what it says."""
    amounts = []
    for window in windows:
        spend = await uow.facts.spend(plan.source_id, window, now, FINEST | plan.scope.grain)
        amounts.append(Money.total(one.total for cell, one in spend.items() if part.holds(cell)))
    return amounts


async def _history(uow: UnitOfWork, plan: DigestPlan, digest: Digest, now: datetime) -> Mapping[datetime, Money]:
    """Spend by the start of each hour or day of the four weeks before a digest's period, on its wall's clock.

    Hours are estimates. Days that are not wholly known are left out; weeks have no history.
    """
    zone, start, step = zone_of(plan.timezone), digest.window.start, step_of(digest)
    if step < DAY and (digest.share or tells_spenders(plan.scope.grain)):
        return {}  # of actors and products no hours are known, of shares none are read
    if step < DAY:
        question = SpendQuestion(
            plan.source_id, Window(start - HISTORY, start), Width.HOUR, plan.scope, Dimension.ORGANISATION
        )
        figures = amounts_of(ORGANISATION, await figures_of(uow, question))
        return {wall(at, zone): amount for at, amount in figures.items()}
    if step > DAY:
        return {}
    recent = await uow.facts.recent(plan.source_id, now, FINEST | plan.scope.grain)
    if digest.share is not None:
        recent = replace(recent, spend={cell: days for cell, days in recent.spend.items() if digest.share.holds(cell)})
    found = daily_spends(recent, plan.scope, Dimension.ORGANISATION, plan.timezone).get(ORGANISATION)
    if found is None:
        return {}
    today, last = local_date(now, zone), local_date(start, zone)
    days = enumerate(zip(reversed(found.amounts), reversed(found.known), strict=True))
    return {
        midnight(today - back * DAY): approximate(amount)
        for back, (amount, known) in days
        if known >= 1 and last - HISTORY <= today - back * DAY < last
    }
