"""What people outside can name is shown in every channel, and does nothing there.

Each message is composed as ever and goes through the real channel to a local server; it is read as its readers' program
reads it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import pytest

from service.adapters.vault import FernetVault
from service.domain.alerts.alert import Command, Reason
from service.domain.charts.alert import budget_chart, rule_chart
from service.domain.charts.chart import Theme
from service.domain.charts.specification import specification
from service.domain.digests.alerts import Tally
from service.domain.digests.digest import BudgetStand, Digest, Mover, Movers
from service.domain.digests.phrases import digest_message
from service.domain.messages.console_pages import NAMES as CONSOLE_PAGES
from service.domain.notify.channels.registry import KINDS
from service.domain.notify.notification import Action, Message
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.plain_text import clean
from service.domain.values.scopes import Dimension
from tests.contract.servers import Servers, configure, open_servers
from tests.fakes.discord import DiscordMessage
from tests.fakes.slack import Posted
from tests.sample_alerts import (
    EVIDENCE,
    HOSTILE_NAMES,
    OCTOBER,
    OPENED,
    PUBLIC_URL,
    RULE_ALERT,
    STALE,
    STALE_ALERT,
    delivery,
    event,
    hostile,
    message,
)

NAMES = (
    *HOSTILE_NAMES,
    "👩\u200d👩\u200d👧 équipe 🔥",
    "פיתוח וייצור",
    "x](https://evil.example) **b** <at>all</at> {{DATE(2026)}}",
)
TO = ("finops@example.com",)
USD = Money.of("412.50")
PARTS = (Dimension.WORKSPACE, Dimension.MODEL, Dimension.API_KEY)
MOST_SHOWN = 30_000
"""Characters: a name of 10,000 that is shown whole a few times is more."""
VAULT = FernetVault("a secret key of the tests")
MOST_IN_A_PICTURE = 600
"""Characters of any one text, the words for who cannot see it among them."""


@dataclass(frozen=True)
class World(Servers):
    """Every channel, and what its reader sees."""

    def shown(self, kind: str) -> str:
        """Every text that a reader sees, once it is certain that the rest is harmless."""
        if kind.startswith("slack"):
            post = [one for one in self.slack.posted if one.thread_ts is None][-1]
            return "\n".join(map(_in_slack, [post, *self.slack.replies(post)]))
        if kind == "email":
            return self._in_the_mail()
        if kind == "console":
            return self.terminal.getvalue()
        if kind == "discord":
            return _in_discord(self.discord.messages[-1])
        return "\n".join(_texts(self.receiver.documents[-1]))

    def _in_the_mail(self) -> str:
        mail = self.smtp.mails[-1]
        assert mail.recipients == list(TO)
        assert mail.message["Bcc"] is None
        read = _Html()
        read.feed(mail.html)
        assert not read.tags & {"script", "img", "iframe", "form", "style", "link", "object", "svg"}
        assert read.links
        assert all(leads_home(link) for link in read.links)
        return "\n".join((mail.subject, mail.text, *read.texts))


class _Html(HTMLParser):
    """A page as a browser has it: its elements, where its links lead, and its words."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _in_slack(post: Posted) -> str:
    """A post, or a reply in its thread. Slack's own limits are the local Slack's: it would have refused the post."""
    assert post.pings == []
    if not post.blocks:
        assert "<" not in post.text
        return post.text
    live = [line for line in post.shown.splitlines() if "<" in _outside_plain_text(post, line)]
    assert [line.count("<") for line in live] in ([1], [1, 1])
    assert all(leads_home(line.partition("<")[2].partition("|")[0]) for line in live)
    assert f"<{PUBLIC_URL}/" in live[-1]
    assert "<" not in post.text
    return f"{post.text}\n{post.shown}"


def leads_home(link: str) -> bool:
    """Whether it leads to us, or to one of the Console's pages that we name."""
    return link.startswith(f"{PUBLIC_URL}/") or link in CONSOLE_PAGES


def _in_discord(message: DiscordMessage) -> str:
    assert (message.pings, message.live) == (False, [])
    assert all(leads_home(link) for link in message.links)
    return message.shown


def _outside_plain_text(post: Posted, line: str) -> str:
    """The line, unless it stands in a header, whose text Slack shows as it is."""
    headers = [block["text"]["text"] for block in post.blocks if block["type"] == "header"]
    return "" if line in headers else line


def _texts(document: object) -> Iterator[str]:
    """All texts of a JSON document. Links lead to us, and Teams finds neither Markdown nor mentions to read."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, list):
        for one in document:
            yield from _texts(one)
    elif isinstance(document, dict):
        for name, value in document.items():
            assert name not in ("entities", "images")
            if name in ("url", "href", "link", "client_url", "generatorURL"):
                assert leads_home(str(value))
            assert document.get("type") not in ("TextBlock", "FactSet", "Image", "Media")
            yield from _texts(value)


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    async with open_servers(VAULT) as servers:
        yield World(**vars(servers))


def of_a_budget(name: str) -> Message:
    parts = tuple(replace(part, name=name) for part in EVIDENCE.contributions)
    evidence = replace(EVIDENCE, budget_name=name, scope_name=name, contributions=parts)
    return message(event(evidence=evidence))


def of_a_rule(name: str) -> Message:
    return message(event(alert=RULE_ALERT, evidence=hostile(name)))


def of_a_blind_source(name: str) -> Message:
    return message(event(alert=STALE_ALERT, evidence=replace(STALE, source_name=name, error=name)))


def of_somebody_s_answer(name: str) -> Message:
    acknowledged = event(Command.ACKNOWLEDGE, Reason.PERSON, actor=name, note=name)
    return message(acknowledged, Action.ACKNOWLEDGE)


def of_a_digest(name: str) -> Message:
    movers = tuple(Movers(dimension, (Mover(name, USD),) * 3, (Mover(name, -USD),)) for dimension in PARTS)
    risks = (BudgetStand(name, name, USD, USD + USD, None),) * 9
    digest = Digest(name, name, "UTC", OCTOBER, OCTOBER, Spend(billed=USD), USD, movers, risks, Tally(opened=1))
    return digest_message(digest, "dgr_1", PUBLIC_URL)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("compose", "words"),
    [
        (of_a_budget, "$12.34"),
        (of_a_rule, "$1,240"),
        (of_a_blind_source, "5"),
        (of_somebody_s_answer, "$12.34"),
        (of_a_digest, "$412.50"),
    ],
)
async def test_a_name_from_outside_is_shown_and_does_nothing(
    world: World, kind: str, compose: Callable[[str], Message], words: str
) -> None:
    for name in NAMES:
        world.terminal.seek(0)
        world.terminal.truncate()
        await world.channels.open(configure(kind, world.places, VAULT)).send(delivery(said=compose(name)))
        shown = world.shown(kind)
        assert words in shown
        assert beginning(name) in " ".join(shown.split())
        assert [character for character in shown if is_harmful(character)] == []
        assert len(shown) < MOST_SHOWN


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_from_outside_is_a_few_plain_words_in_a_picture(name: str) -> None:
    evidence = replace(EVIDENCE, budget_name=name, scope_name=name)
    for chart in (budget_chart(evidence, (), OPENED), rule_chart(hostile(name), {}, OPENED)):
        said = [chart.alt, *_texts(specification(chart, Theme.LIGHT))]
        assert [character for text in said for character in text if is_harmful(character)] == []
        assert max(map(len, said)) < MOST_IN_A_PICTURE


def beginning(name: str) -> str:
    """The first letters of a name, up to what any channel writes in its own way."""
    return re.split(r"[^\w ]", clean(name).strip("\u2068\u2069"))[0][:10].strip()


def is_harmful(character: str) -> bool:
    """Controls, overrides of the direction of writing and halves of characters; what joins emoji is none."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"} and character not in "\n\u200c\u200d\u2068\u2069"
