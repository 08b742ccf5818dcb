"""Alerts, what people do with them, drills, and explanations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from service.api.alerts.documents import AlertDetailOut, AlertOut
from service.api.alerts.drills import DrillIn, DrillOut
from service.api.explain import ExplanationsOut
from service.client.documents import query, read, written
from service.client.errors import Json
from service.client.server import Server
from service.domain.alerts.alert import AlertState
from service.domain.values.durations import format_duration
from service.domain.values.severity import Severity


class AlertsClient:
    """All methods raise ServerError."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def list(
        self,
        *,
        state: Sequence[AlertState] = (),
        severity: Sequence[Severity] = (),
        source: Sequence[str] = (),
        budget: Sequence[str] = (),
        rule: Sequence[str] = (),
        workspace: Sequence[str] = (),
        since: datetime | None = None,
    ) -> Iterator[AlertOut]:
        """Yields them, newest first. All of what is given must hold, of several values any."""
        names = {"source": tuple(source), "budget": tuple(budget), "rule": tuple(rule), "workspace": tuple(workspace)}
        asked = query({"state": tuple(state), "severity": tuple(severity), **names, "since": since})
        return (read(AlertOut, one) for one in self._server.pages("/alerts", asked))

    def get(self, id: str) -> AlertDetailOut:
        return read(AlertDetailOut, self._server.ask("GET", self._place(id)))

    def acknowledge(self, id: str, note: str = "") -> AlertDetailOut:
        return self._move(id, "acknowledge", {"note": note})

    def resolve(self, id: str, note: str = "") -> AlertDetailOut:
        return self._move(id, "resolve", {"note": note})

    def snooze(self, id: str, wait: timedelta, note: str = "") -> AlertDetailOut:
        return self._move(id, "snooze", {"for": format_duration(wait), "note": note})

    def hand_on(self, id: str, to: str, note: str = "") -> AlertDetailOut:
        """`to`: the name or id of the receiver that has it from now on."""
        return self._move(id, "hand-on", {"to": to, "note": note})

    def drill(self, document: DrillIn) -> DrillOut:
        """Polls a source, and opens an alert that says that it is a drill."""
        return read(DrillOut, self._server.ask("POST", "/drills", body=written(document)))

    def explain(
        self, *, rule: str = "", budget: str = "", scope: str = "", at: datetime | None = None
    ) -> ExplanationsOut:
        """Asks why a rule or a budget, one of them, fired at an instant or did not; now where none is given."""
        asked = query({"rule": rule, "budget": budget, "scope": scope, "at": at})
        return read(ExplanationsOut, self._server.ask("GET", "/explanations", asked))

    def _move(self, id: str, move: str, body: Mapping[str, Json]) -> AlertDetailOut:
        return read(AlertDetailOut, self._server.ask("POST", f"{self._place(id)}/{move}", body={**body}))

    def _place(self, id: str) -> str:
        return f"/alerts/{quote(id, safe='')}"
