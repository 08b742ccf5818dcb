"""docs/messages.md, made from what local servers receive of the real channels: `make messages` writes it."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from service.adapters.vault import FernetVault
from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.evidence import Contribution, Evidence, RuleEvidence
from service.domain.messages.message import compose
from service.domain.notify.channels.registry import KINDS
from service.domain.notify.notification import Action, Delivery, Message
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, ScopeKey
from service.domain.values.severity import Severity
from service.workflows.notify.sending import send_whole
from tests.contract.servers import Servers, configure, open_servers
from tests.sample_alerts import ALERT, EVIDENCE, FORECAST, PUBLIC_URL, RULE_ALERT, STALE, STALE_ALERT

DOCUMENT = Path(__file__).parents[2] / "docs" / "messages.md"
WIDTH = 120
PAGE = f"{PUBLIC_URL}/alerts/THE-SIGNED-LINK"
VAULT = FernetVault("a secret key of the tests")
NOON = datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
KEY, MODEL, WORKSPACE = Dimension.API_KEY, Dimension.MODEL, Dimension.WORKSPACE


def part(dimension: Dimension, name: str, amount: str, spent: str, within: str = "") -> Contribution:
    return Contribution(ScopeKey(dimension, name), name, Money.of(amount), Money.of(spent), within)


INCIDENT = RuleEvidence(
    rule_id="rul_1",
    rule_name="unusual spend",
    rule_kind="anomaly",
    scope_name="the organisation",
    actual=Money.of("71.67"),
    expected=Money.of("19.35"),
    unit="US dollars an hour",
    cause=(
        "The organisation spent $71.67 (estimated) between 13:00 and 14:00 UTC on Saturday 28 November 2026; the same "
        "hour of the last four weeks had $21.23, $19.03, $18.64 and $19.77; $19.35 was expected at the present level "
        "and it fires from $34.35."
    ),
    inputs=(),
    days=(date(2026, 11, 28),),
    since=NOON.replace(hour=13, minute=0),
    hour=NOON.replace(hour=13, minute=0),
    impact=Money.of("52.32"),
    strained_budget="org monthly",
    used_up_on=date(2026, 12, 3),
    contributions=(
        part(WORKSPACE, "support-assistant", "54.80", "60.20"),
        part(MODEL, "claude-sonnet-5", "54.70", "64.10"),
        part(KEY, "support-bot", "54.70", "55.20", "support-assistant"),
        part(KEY, "nightly", "1.10", "2.30", "data-pipeline"),
    ),
)
SPENT = (
    part(WORKSPACE, "production", "4874.79", "0"),
    part(WORKSPACE, "support-assistant", "2279.02", "0"),
    part(KEY, "web-backend", "3120.40", "0", "production"),
)
BUDGET = replace(
    EVIDENCE,
    budget_name="org monthly",
    scope_name="the organisation",
    amount=Money.of("12000"),
    spent=Money.of("9612.34"),
    threshold="actual:80%",
    level=Money.of("9600"),
    contributions=SPENT,
    forecast=replace(
        FORECAST,
        low=Money.of("13804"),
        mid=Money.of("14917"),
        high=Money.of("16180"),
        exhausted_at=datetime(2026, 10, 26, 15, tzinfo=UTC),
    ),
)
AHEAD_OF_IT = replace(BUDGET, threshold="forecast:100%", level=Money.of("12000"), spent=Money.of("6020.10"))
BLIND = replace(STALE, error="The Admin API refuses the key (401)")


@dataclass(frozen=True)
class Sample:
    title: str
    message: Message
    action: Action
    at: datetime


def event(evidence: Evidence, alert: Alert, at: datetime, severity: Severity) -> AlertEvent:
    opened = replace(alert, evidence=evidence, severity=severity, opened_at=at, changed_at=at)
    return AlertEvent(opened, at=at, command=Command.OPEN, actor="tocsin", reason=Reason.FIRST)


def sample(title: str, opening: AlertEvent) -> Sample:
    return Sample(title, compose(opening, Action.OPEN, PUBLIC_URL), Action.OPEN, opening.at)


def resolved(title: str, opening: AlertEvent) -> Sample:
    """The incident's end, five hours later; Ada has acknowledged after four minutes."""
    answer = replace(opening, command=Command.ACKNOWLEDGE, actor="Ada", at=opening.at + timedelta(minutes=4))
    evidence = replace(INCIDENT, hour=NOON.replace(hour=18, minute=0), impact=Money.of("312.40"))
    over = replace(opening.alert, evidence=evidence, state=AlertState.RESOLVED, resolved_by="tocsin")
    ended = AlertEvent(over, NOON + timedelta(hours=11), Command.RESOLVE, "tocsin", Reason.RECOVERED)
    return Sample(title, compose(ended, Action.RESOLVE, PUBLIC_URL, (opening, answer)), Action.RESOLVE, ended.at)


_HOURLY = event(INCIDENT, RULE_ALERT, NOON, Severity.CRITICAL)
SAMPLES = (
    sample("An hourly incident", _HOURLY),
    sample("A budget", event(BUDGET, ALERT, datetime(2026, 10, 22, 10, 12, tzinfo=UTC), Severity.WARNING)),
    sample("A forecast", event(AHEAD_OF_IT, ALERT, datetime(2026, 10, 16, 10, 12, tzinfo=UTC), Severity.WARNING)),
    sample("A stale source", event(BLIND, STALE_ALERT, STALE_ALERT.opened_at, Severity.ERROR)),
    resolved("The incident's end", _HOURLY),
)


async def document() -> str:
    """All samples in all channels, as Markdown."""
    sections = [HEAD]
    for one in SAMPLES:
        sections.append(f"## {one.title}\n")
        sections += [f"### {TITLES[kind]}\n\n```\n{await received(kind, one)}\n```\n" for kind in KINDS]
    return "\n".join(sections)


async def received(kind: str, one: Sample) -> str:
    """The text that the reader of such a channel gets, folded."""
    async with _servers() as servers:
        config = configure(kind, servers.places, VAULT)
        channel = servers.channels.open(config)
        # A channel that edits shows the end in the post of the beginning.
        first = await send_whole(channel, _delivery(SAMPLES[0], kind)) if one.action is Action.RESOLVE else None
        await send_whole(channel, replace(_delivery(one, kind), post=first.post if first else None))
        lines = READERS.get(kind, _json)(servers).splitlines()
        return "\n".join(_folded(line) for line in lines).rstrip()


def _delivery(one: Sample, kind: str) -> Delivery:
    """The delivery with a link to the alert's page, as every channel has one that is no log."""
    signed = one.message if kind == "console" else replace(one.message, link=PAGE)
    return Delivery("ntf_1", one.action, signed, None, one.at)


@asynccontextmanager
async def _servers() -> AsyncIterator[Servers]:
    async with open_servers(VAULT) as servers:
        yield servers


def _folded(line: str) -> str:
    return "\n".join(textwrap.wrap(line, WIDTH, subsequent_indent="    ", drop_whitespace=True)) if line else ""


def _slack(servers: Servers) -> str:
    parents = [post for post in servers.slack.posted if post.thread_ts is None]
    thread = [f"in the thread: {reply.text}" for reply in servers.slack.replies(parents[0])]
    return "\n".join([f"notification: {parents[-1].text}", "", parents[-1].shown, "", *thread])


def _mail(servers: Servers) -> str:
    mail = servers.smtp.mails[-1]
    return f"Subject: {mail.subject}\n\n{mail.text}"


def _discord(servers: Servers) -> str:
    return servers.discord.messages[-1].shown


def _terminal(servers: Servers) -> str:
    frames = servers.terminal.getvalue().rpartition("╭")
    return frames[1] + frames[2]


def _teams(servers: Servers) -> str:
    """The card's texts, a block a line, and its buttons."""
    (attachment,) = servers.receiver.documents[-1]["attachments"]
    card = attachment["content"]
    lines = ["".join(run["text"] for run in block["inlines"]) for block in card["body"]]
    return "\n".join([*lines, *(f"[{button['title']}] {button['url']}" for button in card["actions"])])


def _json(servers: Servers) -> str:
    """The last body, without what a machine alone reads."""
    shown = _plain(servers.receiver.documents[-1])
    return json.dumps(shown, indent=1, ensure_ascii=False)


def _plain(body: object) -> object:
    if isinstance(body, dict):
        return {name: _plain(value) for name, value in body.items() if name not in _SECRET}
    return [_plain(one) for one in body] if isinstance(body, list) else body


_SECRET = {"routing_key"}
READERS: Mapping[str, Callable[[Servers], str]] = {
    "slack_bot": _slack,
    "slack_webhook": _slack,
    "email": _mail,
    "discord": _discord,
    "console": _terminal,
    "teams": _teams,
}
TITLES = {
    "slack_bot": "Slack, bot token",
    "slack_webhook": "Slack, webhook",
    "email": "Mail",
    "console": "Console",
    "pagerduty": "PagerDuty",
    "webhook": "Webhook",
    "alertmanager": "Alertmanager",
    "teams": "Teams",
    "jsm": "Jira Service Management",
    "discord": "Discord",
}
HEAD = """# Messages

The texts that people receive, one of each kind in every channel. This page is made by `make messages` from what a local
server at the other end of each channel received; a test holds it against the product. Names and amounts are invented;
`THE-SIGNED-LINK` stands for the token of the alert's page.

The one line that a phone shows names who spends how much above normal, since when. Below it: what is normal, what it
costs if it goes on, whom to stop, and in small print how it stands. Numbers for who checks stand in the thread or last.
"""


if __name__ == "__main__":
    DOCUMENT.write_text(asyncio.run(document()))
