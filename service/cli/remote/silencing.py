"""`tocsin silence`: for a while, matching alerts notify nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from rich.console import Console

from service.bootstrap.errors import OptionError
from service.cli.documents import as_json
from service.cli.remote.lengths import length_of
from service.cli.remote.showing import when
from service.client.errors import Json
from service.client.server import Server

_MATCHER = re.compile(r"([A-Za-z_][A-Za-z0-9_./-]*)(=~|!~|!=|=)(.*)", re.DOTALL)
LONGEST_NAME = 150


@dataclass(frozen=True, slots=True)
class SilenceWanted:
    """`matchers` are texts such as "team=eng" and "workspace=~prod-.*"; `lasting` is a duration such as "4h"."""

    matchers: tuple[str, ...]
    lasting: str
    comment: str
    name: str

    def body(self, now: datetime) -> dict[str, Json]:
        """Returns the silence. Raises OptionError for a matcher or a duration that is none."""
        ends_at = now + length_of("--for", self.lasting)
        matchers: list[Json] = [*read_matchers(self.matchers)]
        name = self.name or f"{' '.join(self.matchers)[:LONGEST_NAME]} since {now:%Y-%m-%d %H:%M:%S}"
        return {"name": name, "matchers": matchers, "ends_at": ends_at.isoformat(), "comment": self.comment}


def read_matchers(texts: Iterable[str]) -> list[dict[str, Json]]:
    """Raises OptionError for a text that is no matcher."""
    found = [(text, _MATCHER.fullmatch(text)) for text in texts]
    for text, match in found:
        if match is None:
            raise OptionError(f"{text!r} is no matcher: write team=eng, team!=eng, team=~eng-.* or team!~eng-.*")
    return [{"label": match[1], "op": match[2], "value": match[3]} for _, match in found if match]


def silence(server: Server, wanted: SilenceWanted, now: datetime, out: Console) -> None:
    """Makes a silence, and says what of its matchers nothing has so far."""
    made = server.ask("POST", "/silences", body=wanted.body(now))
    doubts = made["doubts"]
    out.print(f"{made['name']}: silent until {when(made['ends_at'])}.", markup=False, highlight=False, soft_wrap=True)
    for doubt in doubts if isinstance(doubts, list) else []:
        out.print(f"    {doubt}", markup=False, highlight=False, soft_wrap=True)
    out.print(f"End it before: tocsin silence --end {made['id']}", markup=False, highlight=False, soft_wrap=True)


def silence_as_json(server: Server, wanted: SilenceWanted, now: datetime, out: Console) -> None:
    as_json(server.ask("POST", "/silences", body=wanted.body(now)), out)


def end(server: Server, reference: str, out: Console) -> None:
    """Ends a silence now. Raises ServerError for one that is over, or that there is not."""
    ended = server.ask("POST", f"/silences/{quote(reference, safe='')}/expire")
    out.print(f"{ended['name']} has ended: what fires behind it notifies.", markup=False, highlight=False)


def end_as_json(server: Server, reference: str, out: Console) -> None:
    as_json(server.ask("POST", f"/silences/{quote(reference, safe='')}/expire"), out)
