"""Replays each rule and budget that a plan would change over the stored past, as it was known then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from service.cli.remote.showing import items
from service.client.errors import Json, NoAnswer, RequestRefused, ServerError

SUBJECTS = {"rules": "rule", "budgets": "budget"}
ASK_AGAIN = 2.0
"""Seconds between two questions for the same backtest."""
MOST_QUESTIONS = 900
"""Half an hour for one backtest: a busy worker comes to it when nothing else waits."""

Pause = Callable[[float], None]
Firing = dict[str, Json]


class AskedServer(Protocol):
    """A server, as `Server` is one."""

    def ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Json = None
    ) -> dict[str, Json]: ...


@dataclass(frozen=True, slots=True)
class ReplayAnswer:
    """Everything that one rule or budget would have fired: `since` and `until` are the first and the last UTC day.

    `alerts` opened, `firings` are the newest of their messages, the oldest first. `error`: why nothing was replayed.
    """

    since: str = ""
    until: str = ""
    alerts: int = 0
    firings: tuple[Firing, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class ReplayedChange:
    """A change of a plan. `before` is None for what is new, `after` for what would be deleted."""

    kind: str
    name: str
    before: ReplayAnswer | None
    after: ReplayAnswer | None

    @property
    def new(self) -> list[Firing]:
        """The messages that there would be and were not."""
        return _besides(self.after, self.before)

    @property
    def gone(self) -> list[Firing]:
        """The messages that there were and would not be."""
        return _besides(self.before, self.after)

    @property
    def error(self) -> str:
        return next((one.error for one in (self.after, self.before) if one is not None and one.error), "")


def _besides(replay: ReplayAnswer | None, other: ReplayAnswer | None) -> list[Firing]:
    if replay is None or replay.error or (other is not None and other.error):
        return []
    known = {_identity(one) for one in other.firings} if other is not None else set()
    return [one for one in replay.firings if _identity(one) not in known]


def _identity(firing: Firing) -> tuple[Json, ...]:
    return firing["day"], firing["scope"], firing["threshold"], firing["raised"]


def replay_changes(
    server: AskedServer, document: Mapping[str, Json], changes: Iterable[dict[str, Json]], since: str, pause: Pause
) -> list[ReplayedChange]:
    """Asks the server for two backtests of each changed rule and budget, one after the other."""
    return [
        _replayed(server, document, change, since, pause)
        for change in changes
        if change["kind"] in SUBJECTS and change["action"] != "keep"
    ]


def _replayed(
    server: AskedServer, document: Mapping[str, Json], change: Mapping[str, Json], since: str, pause: Pause
) -> ReplayedChange:
    kind, name, action = str(change["kind"]), str(change["name"]), change["action"]

    def replay(subject: Json) -> ReplayAnswer:
        return _replay(server, {SUBJECTS[kind]: subject}, since, pause)

    written = next((one for one in _written(document, kind) if one.get("name") == name), None)
    before = None if action == "create" else replay(name)
    after = None if action == "delete" else replay(written)
    return ReplayedChange(kind, name, before, after)


def _written(document: Mapping[str, Json], kind: str) -> Sequence[dict[str, Json]]:
    return items(dict(document), kind)


def _replay(server: AskedServer, subject: dict[str, Json], since: str, pause: Pause) -> ReplayAnswer:
    """A rule that cannot be replayed, as one of a source that is yet to be created, stops no plan."""
    try:
        try:
            begun = server.ask("POST", "/backtests", body={**subject, "since": since})
        except RequestRefused as error:
            if all(one.pointer != "/since" for one in error.mistakes):
                raise
            begun = server.ask("POST", "/backtests", body=subject)  # history is shorter: all of it
        return _read(_finished(server, str(begun["id"]), pause))
    except ServerError as error:
        return ReplayAnswer(error=str(error))


def _finished(server: AskedServer, id: str, pause: Pause) -> dict[str, Json]:
    """Raises ServerError for a backtest that does not end."""
    for _ in range(MOST_QUESTIONS):
        found = server.ask("GET", f"/backtests/{id}")
        if found["state"] in ("done", "failed"):
            return found
        pause(ASK_AGAIN)
    waited = timedelta(seconds=MOST_QUESTIONS * ASK_AGAIN)
    raise NoAnswer(f"the backtest {id} has not ended after {waited}: is a worker running?")


def _read(found: dict[str, Json]) -> ReplayAnswer:
    tally = found["tally"]
    if not isinstance(tally, dict):
        return ReplayAnswer(error=str(found["error"]))
    return ReplayAnswer(
        since=str(found["since"]),
        until=str(found["until"]),
        alerts=int(str(tally["alerts"])),
        firings=tuple(items(found, "firings")),
    )
