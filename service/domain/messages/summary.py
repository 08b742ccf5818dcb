"""Several alerts in one message, before any channel's own markup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from service.domain.alerts.alert import AlertEvent, AlertState, Command
from service.domain.messages.message import SIMULATED, compose, standing_of
from service.domain.notify.notification import Action, Listed, Message, MessageType
from service.domain.notify.page_links import ALERT_PAGES
from service.domain.notify.planning import ACTIONS
from service.domain.values.plain_text import moment
from service.domain.values.severity import Severity

MOST_LISTED = 12
"""Alerts that every channel has room for."""
MOST_NEWS = 5
_STATES = (AlertState.FIRING, AlertState.SNOOZED, AlertState.ACKNOWLEDGED, AlertState.RESOLVED)
"""The most pressing first."""


def opening_now(present: AlertEvent) -> AlertEvent:
    """The opening of an alert that has waited, as it stands by now."""
    return replace(present, command=Command.OPEN)


def summarise(id: str, present: Sequence[AlertEvent], news: Iterable[AlertEvent], public_url: str) -> Message:
    """The summary of some alerts by their newest events. `news` is what has happened since it was posted.

    State and severity are those of the most pressing alert: the worst that fires, else the worst that sleeps, ...
    """
    events = sorted(present, key=_pressing)
    first = events[0].alert
    listed = tuple(_listed(event, public_url) for event in events)
    link = f"{public_url.rstrip('/')}{ALERT_PAGES}"
    simulated = all(message.simulated for message, _ in listed)
    return Message(
        alert_id=id,
        type=MessageType.SUMMARY,
        state=first.state,
        severity=first.severity,
        headline=(SIMULATED if simulated else "") + _headline(events),
        summary=_opened(events),
        change=_news(list(news), public_url),
        facts=(),
        next_step=f"See to each by its own link; all that is open: {link}?state=firing" if first.is_open else "",
        link=link,
        simulated=simulated,
        people=tuple(sorted({person for message, _ in listed for person in message.people})),
        listed=tuple(one for _, one in listed[:MOST_LISTED]),
        unlisted=len(listed[MOST_LISTED:]),
    )


def _pressing(event: AlertEvent) -> tuple[int, int, str]:
    return _STATES.index(event.alert.state), -event.alert.severity.rank, event.alert.id


def _listed(event: AlertEvent, public_url: str) -> tuple[Message, Listed]:
    message = compose(event, Action.AMEND, public_url)
    standing = standing_of(event)
    return message, Listed(message.state, message.severity, message.headline, standing, message.link, event.alert.id)


def _headline(events: Sequence[AlertEvent]) -> str:
    """ "5 alerts: 2 critical, 2 warnings, 1 resolved"."""
    by_severity = Counter(event.alert.severity for event in events if event.alert.is_open)
    resolved = len(events) - by_severity.total()
    if not by_severity:
        return f"{len(events)} alerts: all resolved"
    parts = [_count(by_severity[severity], severity) for severity in reversed(Severity) if by_severity[severity]]
    return f"{len(events)} alerts: {', '.join([*parts, *([f'{resolved} resolved'] if resolved else [])])}"


def _count(number: int, severity: Severity) -> str:
    plural = "s" if number > 1 and severity in (Severity.WARNING, Severity.ERROR) else ""
    return f"{number} {severity}{plural}"


def _opened(events: Sequence[AlertEvent]) -> str:
    first, last = (moment(extreme(event.alert.opened_at for event in events)) for extreme in (min, max))
    return f"Opened at {first}." if first == last else f"Opened from {first} to {last}."


def _news(news: Sequence[AlertEvent], public_url: str) -> str:
    said = [_told(event, public_url) for event in news[:MOST_NEWS]]
    more = [f"And {len(news) - MOST_NEWS} more."] if len(news) > MOST_NEWS else []
    return " ".join([*said, *more])


def _told(event: AlertEvent, public_url: str) -> str:
    """ "Acknowledged by ann: Budget eng monthly exceeded: $12.00 of $10.00." """
    return f"{compose(event, ACTIONS[event.command], public_url).one_line}."
