"""Charts of alerts: gathering what they show, having them drawn, and the links to their pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import structlog

from service.domain.alert_charts import budget_chart, rule_chart
from service.domain.alerts import Alert, AlertEvent, BudgetEvidence, RuleEvidence
from service.domain.chart_links import VALID_FOR, ChartLink
from service.domain.charts import SHORT, Chart, Theme, specification
from service.domain.errors import NotFound
from service.domain.money import ZERO, Money
from service.domain.notifications import Action, Picture
from service.domain.periods import Window
from service.domain.receivers import ChannelConfig, Email, PagerDuty, SlackBot, SlackWebhook
from service.domain.scopes import ORGANISATION, Cell, Scope
from service.workflows.ports import ChartError, Ports, UnitOfWork

log = structlog.get_logger(__name__)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HISTORY = 28
"""Days before the judged ones that a rule's chart shows."""
PICTURED = frozenset({Action.OPEN, Action.RAISE})
CARRYING = (Email, SlackBot)
"""Channels that take the picture itself."""
LINKING = (SlackWebhook, PagerDuty)
"""Channels that take an address, from which somebody else fetches it."""


async def chart_of(uow: UnitOfWork, event: AlertEvent) -> Chart | None:
    """An alert's chart as of one event, with spend as it is known now; None for one that is not about spend."""
    evidence = event.alert.evidence
    if isinstance(evidence, BudgetEvidence):
        scope = await _scope(uow, evidence)
        return budget_chart(evidence, await _by_end(uow, event, scope, evidence.period), event.at)
    if isinstance(evidence, RuleEvidence) and evidence.days:
        scope = await _scope(uow, evidence)
        window = Window(_midnight(min(evidence.days) - HISTORY * DAY), _midnight(max(evidence.days) + DAY))
        return rule_chart(evidence, await _by_day(uow, event.alert, scope, window))
    return None


async def _scope(uow: UnitOfWork, evidence: BudgetEvidence | RuleEvidence) -> Scope:
    """What the budget or rule filters by; everything where it has been deleted."""
    try:
        if isinstance(evidence, BudgetEvidence):
            return (await uow.budgets.get(evidence.budget_id)).spec.scope
        return (await uow.rules.get(evidence.rule_id)).spec.scope
    except NotFound:
        return Scope()


async def _by_end(uow: UnitOfWork, event: AlertEvent, scope: Scope, period: Window) -> Mapping[datetime, Money]:
    """Spend by the end of each UTC day up to the event; of a short period, by hours as usage tells them."""
    window = Window(period.start, max(min(event.at, period.end), period.start + DAY))
    if period.end - period.start > SHORT:
        days = await _by_day(uow, event.alert, scope, window)
        return {_midnight(day + DAY): amount for day, amount in days.items()}
    hours: dict[datetime, Money] = defaultdict(lambda: ZERO)
    for start, cell, known in await uow.facts.hours(event.alert.source_id, window):
        if _is_about(event.alert, scope, cell):
            hours[start + HOUR] += known.cost
    return hours


async def _by_day(uow: UnitOfWork, alert: Alert, scope: Scope, window: Window) -> Mapping[date, Money]:
    """Spend by UTC day of what the alert is about."""
    days: dict[date, Money] = defaultdict(lambda: ZERO)
    for day, cell, known in await uow.facts.days(alert.source_id, window):
        if _is_about(alert, scope, cell):
            days[day] += known.spend.total
    return days


def _is_about(alert: Alert, scope: Scope, cell: Cell) -> bool:
    return scope.holds(cell) and (alert.scope == ORGANISATION or cell.along(alert.scope.dimension) == alert.scope.id)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


# ------------------------------------------------------------------------------------------- pictures


async def run_picture(ports: Ports, event: AlertEvent, action: Action, config: ChannelConfig) -> Picture | None:
    """The picture of a message that opens or raises, for a channel that shows it; None where there is none.

    A message never waits long for its picture, and is never lost for want of it: whatever goes wrong is logged.
    """
    url = _public_link(ports, event, ports.clock())
    if action not in PICTURED or not (isinstance(config, CARRYING) or (isinstance(config, LINKING) and url)):
        return None
    try:
        return await _run_draw(ports, event, config, url)
    except Exception:
        log.exception("chart_failed", alert_id=event.alert.id)
        return None


async def _run_draw(ports: Ports, event: AlertEvent, config: ChannelConfig, url: str | None) -> Picture | None:
    """What only links is drawn when somebody follows the link."""
    async with ports.uow() as uow:
        chart = await chart_of(uow, event)
    if chart is None:
        return None
    carried = isinstance(config, CARRYING)
    return Picture(await ports.charts.png(specification(chart, Theme.LIGHT)) if carried else b"", chart.alt, url)


def _public_link(ports: Ports, event: AlertEvent, now: datetime) -> str | None:
    """Where others fetch the picture. Slack and PagerDuty do so from their own machines, and over HTTPS alone."""
    if not ports.public_url.startswith("https://"):
        return None
    return f"{ports.public_url.rstrip('/')}/charts/{token_of(ports, event.alert, now)}.png"


def token_of(ports: Ports, alert: Alert, now: datetime) -> str:
    link = str(ChartLink(alert.id, alert.version, now + VALID_FOR))
    return f"{link}.{ports.signer.sign(link)}"


async def run_linked_picture(ports: Ports, token: str, theme: Theme) -> bytes | None:
    """The picture that a link promises; None for a link that is forged, over, or about nothing that can be drawn."""
    text, _, signature = token.partition(".")
    link = ChartLink.parse(text)
    if link is None or not ports.signer.is_signed(text, signature) or not link.holds(ports.clock()):
        return None
    async with ports.uow() as uow:
        event = next((one for one in await uow.alerts.events(link.alert_id) if one.alert.version == link.version), None)
        chart = await chart_of(uow, event) if event else None
    if chart is None:
        return None
    try:
        return await ports.charts.png(specification(chart, theme))
    except ChartError as error:
        log.warning("chart_failed", alert_id=link.alert_id, reason=str(error))
        return None
