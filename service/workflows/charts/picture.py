"""Pictures of charts: drawn beside a message, or when somebody follows a link."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from service.domain.alerts.alert import Alert, AlertEvent
from service.domain.charts.chart import Theme
from service.domain.charts.links import VALID_FOR, ChartLink
from service.domain.charts.specification import specification
from service.domain.notify.channels.traits import DRAWN, ChartUse
from service.domain.notify.notification import FIRING_ACTIONS, Action, Picture
from service.workflows.charts.chart import chart_of
from service.workflows.ports.outages import StorageUnavailable
from service.workflows.ports.platform import ChartError
from service.workflows.ports.unit_of_work import Ports

log = structlog.get_logger(__name__)


async def run_picture(ports: Ports, event: AlertEvent, action: Action, use: ChartUse) -> Picture | None:
    """The picture of a message that opens or raises an alert; None where the channel shows none or it has no chart."""
    url = _public_link(ports, event, ports.clock())
    if action not in FIRING_ACTIONS or use is ChartUse.NONE or (use is ChartUse.LINKED and url is None):
        return None
    return await run_unless_it_fails(ports, event.alert.kind, lambda: _run_draw(ports, event, use, url))


async def run_unless_it_fails(
    ports: Ports, about: str, draw: Callable[[], Awaitable[Picture | None]]
) -> Picture | None:
    """Draws, or gives None: a message never waits long for its picture, and is never lost for want of it.

    A failure is logged and counted by what the picture is `about`: an alert's kind, or "digest". Raises
    StorageUnavailable, which is no fault of the picture's: a message that is sent now could not be recorded.
    """
    try:
        return await draw()
    except StorageUnavailable:
        raise
    except Exception as error:
        log.exception("chart_failed", about=about)
        await _run_note(ports, about, error)
        return None


async def _run_note(ports: Ports, about: str, error: Exception) -> None:
    async with ports.uow() as uow:
        await uow.chart_failures.note(about, f"{type(error).__name__}: {error}", ports.clock())


async def _run_draw(ports: Ports, event: AlertEvent, use: ChartUse, url: str | None) -> Picture | None:
    """Draws what a channel carries; what it links to is drawn when somebody follows the link."""
    async with ports.uow() as uow:
        chart = await chart_of(uow, event)
    if chart is None:
        return None
    png = await ports.charts.png(specification(chart, Theme.LIGHT)) if use in DRAWN else b""
    return Picture(png, chart.alt, url)


def _public_link(ports: Ports, event: AlertEvent, now: datetime) -> str | None:
    """The address of the picture. Slack and PagerDuty fetch it from their own machines, and over HTTPS alone."""
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
    if event is None or chart is None:
        return None
    try:
        return await ports.charts.png(specification(chart, theme))
    except ChartError as error:
        log.warning("chart_failed", alert_id=link.alert_id, reason=str(error))
        await _run_note(ports, event.alert.kind, error)
        return None
