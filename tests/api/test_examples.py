"""The examples of the documents, as a reader would type them, against a server that has what they name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from tests.api.alerts.test_feedback import opened
from tests.api.stand import ENG, Stand

DOCS = Path(__file__).parents[2] / "docs"
ASKING = ("charts", "digests", "escalation", "on-call", "rest", "sources", "spend", "start")
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
        path = ID.sub(lambda found: self.ids[found[1]], url.removeprefix("$TOCSIN"))
        answer = await self.stand.admin.request(method, path, headers=headers, content=body)
        if path == "/v1/backtests":
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


CONSOLE = {"channels": [{"kind": "console"}]}
NAMED: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("/receivers", {"name": name, **CONSOLE}) for name in ("finance", "ann mail", "ben mail", "mail", "console")),
    ("/rules", {"name": "unusual spend", "kind": "anomaly"}),
)


async def world(stand: Stand) -> World:
    alert = await opened(stand, "claude")
    await stand.spend(ENG, "123.45")
    for path, document in NAMED:
        await stand.create(path, document)
    return World(stand, {"alert": alert["id"]})


@pytest.mark.parametrize("document", ASKING)
async def test_every_example_is_answered_as_the_document_says(stand: Stand, document: str) -> None:
    there = await world(stand)
    found = examples((DOCS / f"{document}.md").read_text())
    assert found
    wrong: list[tuple[str, Any]] = []
    for example in found:
        answer = await there.ask(example)
        expected = answer.is_success if example.status is None else answer.status_code == example.status
        if not expected:
            wrong.append((example.command, answer.text))
    assert wrong == []


def test_every_document_with_examples_is_asked() -> None:
    assert tuple(sorted(path.stem for path in DOCS.glob("*.md") if examples(path.read_text()))) == ASKING


def test_a_command_over_several_lines_is_one_and_has_its_answer() -> None:
    text = '```\n$ api $TOCSIN/v1/a -d \'{\n  "b": 1}\'\n{"status": 422}\n$ api "$TOCSIN/v1/c" > d.csv\n```\n'
    first, second = examples(text)
    assert _request(first.words)[:2] == ("POST", "$TOCSIN/v1/a")
    assert (first.status, second.status, _request(second.words)[:2]) == (422, None, ("GET", "$TOCSIN/v1/c"))
