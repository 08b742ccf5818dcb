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
from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, NewHolder, Reason
from service.domain.alerts.evidence import Contribution, Evidence, Heard, LevelChange, RuleEvidence
from service.domain.alerts.handover import hand_on
from service.domain.digests.alerts import Tally
from service.domain.digests.digest import BudgetStand, DigestPlan, Figures, Occasion, build
from service.domain.digests.phrases import digest_message
from service.domain.digests.shares import Division, Share
from service.domain.messages.message import compose
from service.domain.messages.message import sample as test_message
from service.domain.notify.channels.registry import KINDS
from service.domain.notify.notification import Action, Delivery, Message
from service.domain.sources.ownership import OwnedMember, OwnerBook
from service.domain.spend.attribution import by_owner
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from service.domain.values.severity import Severity
from service.workflows.notify.page_links import PATHS
from service.workflows.notify.sending import send_whole
from tests.contract.servers import Servers, configure, open_servers
from tests.domain.digests.usage_reports import SATURDAY, day_of, report
from tests.sample_alerts import (
    ALERT,
    DRILL,
    EVIDENCE,
    FORECAST,
    INCOMPLETE,
    PUBLIC_URL,
    RULE_ALERT,
    SILENCE_ENDS,
    STALE,
    STALE_ALERT,
    UNDELIVERED,
    UNPRICED,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "messages.md"
WIDTH = 120
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
SPENT_SO_FAR = (
    part(WORKSPACE, "production", "3310.55", "0"),
    part(WORKSPACE, "support-assistant", "1204.10", "0"),
    part(KEY, "web-backend", "2207.30", "0", "production"),
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
LATE = replace(
    BUDGET,
    budget_name="data-pipeline",
    amount=Money.of("5000"),
    spent=Money.of("5120.33"),
    threshold="actual:100%",
    level=Money.of("5000"),
    late=True,
    billed_days=(date(2026, 10, 31),),
    billed_on=date(2026, 11, 2),
    forecast=None,
    contributions=(part(KEY, "nightly", "4402.18", "0", "data-pipeline"),),
)
AHEAD_OF_IT = replace(
    BUDGET, threshold="forecast:100%", level=Money.of("12000"), spent=Money.of("6020.10"), contributions=SPENT_SO_FAR
)
BLIND = replace(STALE, error="The Admin API refuses the key (401)")


@dataclass(frozen=True)
class Sample:
    """One message; `after` is the opening that it follows, `kinds` are the channels that it is shown in."""

    title: str
    message: Message
    action: Action
    at: datetime
    after: Sample | None = None
    kinds: tuple[str, ...] = tuple(KINDS)


def event(evidence: Evidence, alert: Alert, at: datetime, severity: Severity) -> AlertEvent:
    opened = replace(alert, evidence=evidence, severity=severity, opened_at=at, changed_at=at)
    return AlertEvent(opened, at=at, command=Command.OPEN, actor="tocsin", reason=Reason.FIRST)


def sample(title: str, opening: AlertEvent) -> Sample:
    return Sample(title, compose(opening, Action.OPEN, PUBLIC_URL), Action.OPEN, opening.at)


EDITED, MAILED = ("slack_bot", "pagerduty"), ("slack_bot", "email")
"""Channels that show a move that edits the post, and a move that is a message of its own."""
RUNNING = replace(INCIDENT, hour=NOON.replace(hour=16, minute=0), impact=Money.of("230.10"))
CALM = replace(
    RUNNING,
    impact=Money.of("312.40"),
    calm_since=NOON.replace(hour=19, minute=0),
    closes_at=datetime(2026, 11, 29, 1, tzinfo=UTC),
)
CORRECTED = replace(
    RUNNING,
    impact=Money.of("88.10"),
    heard=Heard(Money.of("88.10"), None, RUNNING.days, RUNNING.hour, RUNNING.since, False, before=Money.of("230.10")),
)
ACCEPTED = replace(
    INCIDENT,
    actual=Money.of("1214.30"),
    expected=Money.of("842.10"),
    unit="US dollars a day",
    days=(date(2026, 12, 14),),
    since=datetime(2026, 12, 9, 9, tzinfo=UTC),
    hour=None,
    impact=Money.of("2874.15"),
    contributions=(),
    level=LevelChange("the organisation", date(2026, 12, 9), Money.of("605.20"), Money.of("1210.40")),
)
CONTRADICTED = replace(INCIDENT, billed=Money.of("20.45"))


def moved(title: str, move: AlertEvent, action: Action, kinds: tuple[str, ...], *before: AlertEvent) -> Sample:
    """What follows on the hourly incident."""
    history = (_HOURLY, *before, move)
    message = compose(move, action, PUBLIC_URL, history)
    return Sample(title, message, action, move.at, SAMPLE_OF_THE_HOUR, kinds)


def followed(
    command: Command, reason: Reason, at: datetime, evidence: Evidence = INCIDENT, actor: str = "tocsin"
) -> AlertEvent:
    """A move of the hourly incident, which gets the state that the command leads to."""
    states = {
        Command.ACKNOWLEDGE: AlertState.ACKNOWLEDGED,
        Command.SNOOZE: AlertState.SNOOZED,
        Command.RESOLVE: AlertState.RESOLVED,
    }
    alert = replace(
        _HOURLY.alert,
        version=int((at - NOON) / timedelta(minutes=1)) + 1,
        state=states.get(command, AlertState.FIRING),
        evidence=evidence,
        acknowledged_by=actor if command is Command.ACKNOWLEDGE else None,
        snoozed_until=at + timedelta(hours=2) if command is Command.SNOOZE else None,
    )
    return AlertEvent(alert, at, command, actor, reason)


def handed_on(title: str, action: Action, kinds: tuple[str, ...]) -> Sample:
    """The hourly incident goes on to the owner of its key; `after` is the opening where the channel had one."""
    move = hand_on(
        _HOURLY.alert,
        NewHolder("rcv_bob", "bob@example.com"),
        actor="token:Ada",
        note="your bot; I have left the key on",
        now=NOON + timedelta(minutes=4),
    )
    message = compose(move, action, PUBLIC_URL, (_HOURLY, move))
    return Sample(title, message, action, move.at, SAMPLE_OF_THE_HOUR if action is Action.AMEND else None, kinds)


def digest_sample(title: str = "A digest", share: Share | None = None) -> Sample:
    """A month's digest of three workspaces and their keys, or somebody's share of it."""
    october, september = (
        Window(datetime(2026, month, 1, tzinfo=UTC), datetime(2026, month + 1, 1, tzinfo=UTC)) for month in (10, 9)
    )
    names = ("production", "web-backend"), ("support-assistant", "support-bot"), ("research", "notebooks")
    cells = [Cell(workspace, "claude-sonnet-5", key) for workspace, key in names]
    amounts = ("10120.40", "4079.12", "2124.88"), ("11420.90", "3802.41", "1935.79")
    now, before = ({cell: Spend(billed=Money.of(one)) for cell, one in zip(cells, row, strict=True)} for row in amounts)
    counted = Tally(opened=4, resolved=4, acknowledged=3, acknowledged_after=timedelta(minutes=7))
    plan = DigestPlan("src_1", "rcv_1", "0 9 1 * *")
    occasion = Occasion("monthly spend", october, september, {}, share=share)
    at_risk = BudgetStand("org monthly", "the organisation", Money.of("12000"), Money.of("6020.10"), Money.of("14917"))
    digest = build(plan, occasion, Figures(now, before), () if share else (at_risk,), counted)
    return Sample(title, digest_message(digest, "dgr_1", PUBLIC_URL), Action.OPEN, october.end, None, MAILED)


def share_of(receiver_id: str) -> Share:
    """Ann owns the workspace support-assistant, and finops has the rest."""
    support = ScopeKey(WORKSPACE, "support-assistant")
    members = {support: OwnedMember("src_1", support, "rcv_ann")}
    names = {"rcv_ann": "ann@example.com", "rcv_finops": "finops"}
    return Share(Division(OwnerBook(members), by_owner(members), names, "rcv_finops"), receiver_id)


def usage_sample() -> Sample:
    message = digest_message(day_of(report(), {}), "dgr_1", PUBLIC_URL)
    return Sample("A usage report", message, Action.OPEN, SATURDAY.end, None, MAILED)


_HOURLY = event(INCIDENT, RULE_ALERT, NOON, Severity.CRITICAL)
SAMPLE_OF_THE_HOUR = sample("An hourly incident", _HOURLY)
_ANSWER = followed(Command.ACKNOWLEDGE, Reason.PERSON, NOON + timedelta(minutes=4), actor="Ada")
_SNOOZE = followed(Command.SNOOZE, Reason.PERSON, NOON + timedelta(minutes=6), actor="Ada")
_LONGER = followed(Command.SNOOZE, Reason.PERSON, NOON + timedelta(minutes=66), actor="Ben")
_LATE_AT = datetime(2026, 11, 2, 6, 5, tzinfo=UTC)
SAMPLES = (
    SAMPLE_OF_THE_HOUR,
    sample("A budget", event(BUDGET, ALERT, datetime(2026, 10, 22, 10, 12, tzinfo=UTC), Severity.WARNING)),
    sample("A forecast", event(AHEAD_OF_IT, ALERT, datetime(2026, 10, 16, 10, 12, tzinfo=UTC), Severity.WARNING)),
    sample("A stale source", event(BLIND, STALE_ALERT, STALE_ALERT.opened_at, Severity.ERROR)),
    moved(
        "The incident's end",
        followed(Command.RESOLVE, Reason.RECOVERED, NOON + timedelta(hours=11), CALM),
        Action.RESOLVE,
        tuple(KINDS),
        _ANSWER,
    ),
    moved("Acknowledged", _ANSWER, Action.ACKNOWLEDGE, EDITED),
    handed_on("Handed on, to whoever has it now", Action.OPEN, (*MAILED, "pagerduty", "jsm")),
    handed_on("Handed on, to whoever had it", Action.AMEND, (*MAILED, "pagerduty", "jsm")),
    moved("Snoozed", _SNOOZE, Action.SNOOZE, EDITED),
    moved("Snoozed again", _LONGER, Action.SNOOZE, ("slack_bot",), _SNOOZE),
    moved(
        "The snooze is over",
        followed(Command.WAKE, Reason.SNOOZE_OVER, NOON + timedelta(hours=3), RUNNING),
        Action.RAISE,
        MAILED,
        _SNOOZE,
    ),
    moved(
        "Still going on",
        followed(Command.OPEN, Reason.REPEAT_DUE, NOON + timedelta(hours=3), RUNNING),
        Action.RAISE,
        MAILED,
    ),
    moved("Calm", followed(Command.AMEND, Reason.CALM, NOON + timedelta(hours=7), CALM), Action.AMEND, ("slack_bot",)),
    moved(
        "Corrected",
        followed(Command.AMEND, Reason.CORRECTED, NOON + timedelta(hours=15), CORRECTED),
        Action.AMEND,
        MAILED,
    ),
    moved(
        "Not confirmed by the bill",
        followed(Command.RESOLVE, Reason.NOT_CONFIRMED, NOON + timedelta(hours=15), CONTRADICTED),
        Action.RESOLVE,
        MAILED,
    ),
    moved(
        "Accepted as the new level",
        followed(Command.RESOLVE, Reason.ACCEPTED, datetime(2026, 12, 16, 0, 12, tzinfo=UTC), ACCEPTED),
        Action.RESOLVE,
        MAILED,
    ),
    replace(
        sample("A late bill", replace(event(LATE, ALERT, _LATE_AT, Severity.CRITICAL), reason=Reason.LATE)),
        kinds=MAILED,
    ),
    replace(
        sample("What did not arrive", event(UNDELIVERED, STALE_ALERT, STALE_ALERT.opened_at, Severity.ERROR)),
        kinds=MAILED,
    ),
    replace(
        sample("A silence ends", event(SILENCE_ENDS, STALE_ALERT, STALE_ALERT.opened_at, Severity.INFO)),
        kinds=MAILED,
    ),
    replace(
        sample("A model without a price", event(UNPRICED, STALE_ALERT, STALE_ALERT.opened_at, Severity.WARNING)),
        kinds=MAILED,
    ),
    replace(
        sample("An incomplete report", event(INCOMPLETE, STALE_ALERT, STALE_ALERT.opened_at, Severity.WARNING)),
        kinds=MAILED,
    ),
    sample("A drill", event(DRILL, STALE_ALERT, STALE_ALERT.opened_at, Severity.CRITICAL)),
    digest_sample(),
    digest_sample("An owner's share of a digest", share_of("rcv_ann")),
    digest_sample("The rest of it", share_of("rcv_finops")),
    usage_sample(),
    Sample("A receiver's test", test_message(PUBLIC_URL, NOON), Action.OPEN, NOON, None, MAILED),
)


async def document() -> str:
    """All samples in all channels, as Markdown."""
    sections = [HEAD]
    for one in SAMPLES:
        sections.append(f"## {one.title}\n")
        sections += [f"### {TITLES[kind]}\n\n```\n{await received(kind, one)}\n```\n" for kind in one.kinds]
    return "\n".join(sections)


async def received(kind: str, one: Sample) -> str:
    """The text that the reader of such a channel gets, folded."""
    async with _servers() as servers:
        config = configure(kind, servers.places, VAULT)
        channel = servers.channels.open(config)
        # A channel that edits shows what follows in the post of the beginning.
        first = await send_whole(channel, _delivery(one.after, kind)) if one.after else None
        await send_whole(channel, replace(_delivery(one, kind), post=first.post if first else None))
        lines = READERS.get(kind, _json)(servers).splitlines()
        return "\n".join(_folded(line) for line in lines).rstrip()


def _delivery(one: Sample, kind: str) -> Delivery:
    """The delivery with a link to the alert's page, as every channel has one that is no log."""
    link = f"{PUBLIC_URL}/{PATHS[one.message.type]}/THE-SIGNED-LINK"
    signed = one.message if kind == "console" else replace(one.message, link=link)
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

The texts that people receive: one of each kind in every channel, then the other moments where they look different.
This page is made by `make messages` from what a local server at the other end of each channel received; a
test holds it against the product. Names and amounts are invented;
`THE-SIGNED-LINK` stands for the token of the alert's page.

The one line that a phone shows names who spends how much above normal, since when. Below it: what is normal, what it
costs if it goes on, whom to stop, and in small print how it stands. Numbers for who checks stand in the thread or last.
"""


if __name__ == "__main__":
    DOCUMENT.write_text(asyncio.run(document()))
