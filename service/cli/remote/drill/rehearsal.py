"""A drill from its beginning to its end: each hop is told as it is passed, or as it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from service.bootstrap.errors import OptionError
from service.cli.remote.drill.ending import postponed
from service.cli.remote.drill.hops import NO_WORKER, OPENS, RESOLVES, Hop, are_settled, of_alert, of_poll
from service.cli.remote.drill.stopwatch import Stopwatch
from service.cli.remote.showing import inner
from service.client import Clash, Server
from service.client.errors import Json


@dataclass(frozen=True, slots=True)
class DrillWanted:
    """The alert to rehearse: `source` is a name or id, empty where there is one. `patience`: seconds for each hop."""

    source: str
    severity: str
    labels: Mapping[str, str]
    patience: float

    @property
    def body(self) -> dict[str, Json]:
        asked: dict[str, Json] = {"severity": self.severity, "labels": dict(self.labels)}
        return asked | ({"source": self.source} if self.source else {})


def read_labels(pairs: Iterable[str]) -> dict[str, str]:
    """Returns labels from texts such as "team=eng". Raises OptionError."""
    found = [pair.partition("=") for pair in pairs]
    for name, equals, value in found:
        if not (name and equals and value):
            raise OptionError(f"--label {name}: write a label and its value, such as team=eng")
    labels = {name: value for name, _, value in found}
    for name in labels:
        if [one for one, _, _ in found].count(name) > 1:
            raise OptionError(f"--label {name}: it stands there twice; give it one value")
    return labels


class Rehearsal:
    """One drill on a server. Every hop goes to `tell` when it is known."""

    def __init__(self, server: Server, wanted: DrillWanted, watch: Stopwatch, tell: Callable[[Hop], None]) -> None:
        self._server, self._wanted, self._watch, self._tell = server, wanted, watch, tell

    def run(self) -> None:
        """Raises ServerError where it cannot begin, or where the server stops answering. It cleans up all the same."""
        began = self._watch.seconds()
        with postponed() as end_if_asked:
            begun = self._server.ask("POST", "/drills", body=self._wanted.body)
            path = f"/alerts/{inner(begun, 'alert')['id']}"
            try:
                end_if_asked()
                self._way(begun, path, self._watch.seconds() - began)
            finally:
                self._clean_up(path)

    def _way(self, begun: dict[str, Json], path: str, took: float) -> None:
        alert, poll = inner(begun, "alert"), inner(begun, "poll")
        self._tell(Hop("alert", f"{alert['id']} fires, {alert['severity']}", took))
        self._follow(path, OPENS)
        self._poll_and_evaluation(str(poll["source_id"]), str(poll["id"]))

    def _follow(self, path: str, actions: tuple[str, ...]) -> None:
        self._watch.until(lambda: are_settled(self._server.ask("GET", path), actions), self._wanted.patience)
        for hop in of_alert(self._server.ask("GET", path), actions):
            self._tell(hop)

    def _poll_and_evaluation(self, source: str, poll: str) -> None:
        path = f"/sources/{source}/polls/{poll}"
        self._watch.until(lambda: self._server.ask("GET", path)["finished_at"] is not None, self._wanted.patience)
        read = self._server.ask("GET", path)
        hop = of_poll(read)
        self._tell(hop)
        if not hop.broken:
            self._evaluation(source, datetime.fromisoformat(str(read["started_at"])))

    def _evaluation(self, source: str, since: datetime) -> None:
        def evaluated() -> bool:
            newest = inner(self._server.ask("GET", f"/sources/{source}"), "status")["evaluated_read_at"]
            return newest is not None and datetime.fromisoformat(str(newest)) >= since

        took = self._watch.until(evaluated, self._wanted.patience)
        if took is None:
            self._tell(Hop("evaluation", NO_WORKER, broken=True))
        else:
            self._tell(Hop("evaluation", "budgets and rules were compared with what was read", took))

    def _clean_up(self, path: str) -> None:
        began = self._watch.seconds()
        with suppress(Clash):  # somebody has resolved it, or it has ended by itself
            self._server.ask("POST", f"{path}/resolve", body={"note": "the drill is over"})
        self._watch.until(lambda: are_settled(self._server.ask("GET", path), RESOLVES), self._wanted.patience)
        open_ends = not are_settled(self._server.ask("GET", path), RESOLVES)
        detail = "not every channel has heard of the end yet" if open_ends else "resolved, and every channel knows"
        self._tell(Hop("clean-up", detail, self._watch.seconds() - began, broken=open_ends))
