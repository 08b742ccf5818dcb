"""The examples of the documents, as a reader would type them, against a server that has what they name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from service.domain.values.scopes import Dimension, ScopeKey
from tests.api.alerts.test_feedback import opened
from tests.api.rules.watched import know, past
from tests.api.stand import ENG, Stand, answered

DOCS = Path(__file__).parents[2] / "docs"
ASKING = ("charts", "digests", "escalation", "on-call", "owners", "rest", "rules", "slack", "sources", "spend", "start")
BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ID = re.compile(r"\b(alert|bt)_[0-9a-f]{32}\b")
REFUSED = re.compile(r'"status": ?(4\d\d)')


@dataclass(frozen=True)
class Example:
    command: str
    answer: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.command.removeprefix("$ "))

    @property
    def status(self) -> int | None:
        """The refusal that the document shows, if it shows one."""
        refused = REFUSED.search(self.answer)
        return int(refused[1]) if refused else None


def examples(text: str) -> list[Example]:
    return [one for block in BLOCK.findall(text) for one in _of(block)]


def _of(block: str) -> Iterator[Example]:
    command, answer = "", ""
    for line in block.splitlines():
        if command and _is_open(command):
            command += f"\n{line}"
        elif line.startswith(("api ", "$ api ")):
            if command:
                yield Example(command, answer)
            command, answer = line, ""
        else:
            answer += f"{line}\n"
    if command:
        yield Example(command, answer)


def _is_open(command: str) -> bool:
    return command.count("'") % 2 == 1


@dataclass(frozen=True)
class World:
    """A server with what the documents name, and the ids that stand there as examples."""

    stand: Stand
    ids: dict[str, str]

    async def ask(self, example: Example) -> Response:
        method, url, headers, body = _request(example.words)
        path = ID.sub(lambda found: self.ids.get(found[1], found[0]), url.removeprefix("$TOCSIN"))
        answer = await self.stand.admin.request(method, path, headers=headers, content=body)
        if path == "/v1/backtests" and answer.is_success:
            self.ids["bt"] = answer.json()["id"]
        if path == "/v1/sources" and answer.is_success:  # the others ask about the only source
            await self.stand.admin.delete(f"/v1/sources/{answer.json()['id']}")
        return answer


def _request(words: list[str]) -> tuple[str, str, dict[str, str], str | None]:
    method, url, headers, body = "", "", {"Content-Type": "application/json"}, None
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d":
                body = next(rest)
            case ">" | "|":
                break
            case _:
                url = word
    return method or ("GET" if body is None else "POST"), url, headers, body


NAMED = {ScopeKey(Dimension.PRODUCT, "claude_code"): "Claude Code", ScopeKey(Dimension.API_KEY, "k"): "support-bot"}
NAMED_BUDGETS = ("organisation, monthly", "each workspace, weekly")
NAMED_RULES = ("unusual spend", "new API key that spends", "source not read")


def _receivers(*names: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    return tuple(("/receivers", {"name": name, "channels": [{"kind": "console"}]}) for name in names)


THERE: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "digests": _receivers("finance", "platform"),
    "escalation": _receivers("eng-oncall", "eng-lead", "cto", "ann", "ben"),
    "owners": _receivers("eng-oncall"),
    "rest": (
        *_receivers("ann mail", "ben mail", "console"),
        ("/rules", {"name": "unusual spend", "kind": "anomaly"}),
        (
            "/rotas",
            {"name": "engineers", "people": [{"name": who, "receiver": f"{who} mail"} for who in ("ann", "ben")]},
        ),
        ("/budgets", {"name": "eng monthly", "amount": "9000.00"}),
    ),
    "start": (
        ("/sources", {"name": "simulator", "admin_key": "sk-ant-admin01-FAKE-simulator", "enabled": False}),
        *(("/budgets", {"name": f"demo: {what}", "amount": "1.00"}) for what in NAMED_BUDGETS),
        *(("/rules", {"name": name, "kind": "anomaly"}) for name in NAMED_RULES),
    ),
}
"""What a document names that its examples do not make."""


async def world(stand: Stand, document: str) -> World:
    alert = await opened(stand, "claude")
    await _store_history(stand)
    for path, named in THERE.get(document, ()):
        await stand.create(path, named)
    if document == "rest":
        answered(await stand.admin.patch("/v1/budgets/eng%20monthly", json={"amount": "12000.00"}))
    stand.clock.advance(timedelta(minutes=10))
    return World(stand, {"alert": alert["id"]})


async def _store_history(stand: Stand) -> None:
    """35 days, as a first poll reads."""
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
    cells = [replace(ENG, workspace=name) for name in ("production", "research", "eng")]
    amounts = dict.fromkeys(cells, "12.50")
    await know(stand, source.id, past(35, amounts, amounts))
    async with stand.ports.uow() as uow:
        await uow.directory.note_named(source.id, NAMED, stand.clock())


@pytest.mark.parametrize("document", ASKING)
async def test_every_example_is_answered_as_the_document_says(stand: Stand, document: str) -> None:
    there = await world(stand, document)
    found = examples((DOCS / f"{document}.md").read_text())
    assert found
    wrong: list[str] = []
    for example in found:
        answer = await there.ask(example)
        expected = answer.is_success if example.status is None else answer.status_code == example.status
        if not expected:
            wrong.append(f"{example.command}\n{answer.text}")
    assert wrong == [], "\n\n".join(wrong)


def test_every_document_with_examples_is_asked() -> None:
    assert tuple(sorted(path.stem for path in DOCS.glob("*.md") if examples(path.read_text()))) == ASKING


def test_a_command_over_several_lines_is_one_and_has_its_answer() -> None:
    text = '```\n$ api $TOCSIN/v1/a -d \'{\n  "b": 1}\'\n{"status": 422}\n$ api "$TOCSIN/v1/c" > d.csv\n```\n'
    first, second = examples(text)
    assert _request(first.words)[:2] == ("POST", "$TOCSIN/v1/a")
    assert (first.status, second.status, _request(second.words)[:2]) == (422, None, ("GET", "$TOCSIN/v1/c"))
