"""An incident in the simulator from its beginning to its end: each hop is told as it is passed, or as it breaks.

Times are by the server's clock, from the stamps that the simulator and the server give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from service.api.alerts.documents import AlertDetailOut, AlertOut
from service.api.spend.spend import Granularity
from service.cli.remote.drill.ending import postponed
from service.cli.remote.drill.hops import NO_WORKER, OPENS, RESOLVES, Hop, are_settled, of_alert, of_poll
from service.cli.remote.drill.plan import ENDS_WITHIN, JUDGED_WITHIN, IncidentPlan
from service.cli.remote.drill.simulator import TIMES, PlayedIncident, Simulator
from service.cli.remote.drill.stopwatch import Stopwatch
from service.cli.remote.showing import items, usd
from service.client.errors import Clash, Json
from service.client.spend import SpendOf
from service.client.tocsin import TocsinClient
from service.domain.alerts.alert import AlertState
from service.domain.values.utc import hour_start

LONGEST_WAIT = 600.0
"""Seconds: where the alert's own end is further away, the drill resolves it."""
FINISHED = frozenset({"done", "failed"})
NOTE = "the drill is over"


class IncidentRehearsal:
    """One incident. Every hop goes to `tell` when it is known."""

    def __init__(
        self,
        tocsin: TocsinClient,
        simulator: Simulator,
        plan: IncidentPlan,
        watch: Stopwatch,
        tell: Callable[[Hop], None],
    ) -> None:
        self._tocsin, self._simulator, self._plan = tocsin, simulator, plan
        self._watch, self._tell = watch, tell
        self._fired: AlertDetailOut | None = None

    def run(self) -> None:
        """Raises ServerError and StartError. The incident is taken back all the same, and its alert ended."""
        with postponed() as end_if_asked:
            incident = self._simulator.play(self._plan.spender)
            with self._resolved_at_the_end(incident):
                self._rehearse(incident, end_if_asked)

    def _rehearse(self, incident: PlayedIncident, end_if_asked: Callable[[], None]) -> None:
        with self._taken_back_at_the_end(incident):
            end_if_asked()
            self._tell(Hop("incident", f"{self._name} spends {TIMES} times as much as usual", 0.0))
            self._way(incident, self._spent(incident.starts_at))
        self._await_end()

    @property
    def _name(self) -> str:
        return self._plan.spender.name

    def _way(self, incident: PlayedIncident, spent: Decimal) -> None:
        poll = self._read(incident)
        if poll is None:
            return
        self._stored(incident, poll, spent)
        self._evaluated(poll)
        self._fired = self._judged(incident, datetime.fromisoformat(str(poll["finished_at"])))
        if self._fired is not None:
            self._notified(self._fired)

    def _read(self, incident: PlayedIncident) -> dict[str, Json] | None:
        """Returns the first poll that reads the incident; None where there is none, or where it failed."""
        self._wait(lambda: self._tocsin.server.now() >= incident.reported_at, incident.reported_at - incident.starts_at)
        reported = f"the usage report shows it since {incident.reported_at:%H:%M} UTC"
        self._tell(Hop("report", reported, _between(incident.starts_at, incident.reported_at)))
        self._wait(lambda: self._poll_after(incident.reported_at) is not None, self._plan.polled_within)
        poll = self._poll_after(incident.reported_at)
        if poll is None:
            none = f"none has ended that began since {incident.reported_at:%H:%M} UTC: {NO_WORKER}"
            self._tell(Hop("poll", none, broken=True))
            return None
        hop = of_poll(poll)
        finished = datetime.fromisoformat(str(poll["finished_at"]))
        self._tell(replace(hop, name="poll", seconds=_between(incident.reported_at, finished)))
        return None if hop.broken else poll

    def _poll_after(self, since: datetime) -> dict[str, Json] | None:
        """Returns the first finished poll that began at an instant or later."""
        answer = self._tocsin.server.ask("GET", f"/sources/{self._plan.source.id}/polls", {"limit": "20"})
        for poll in reversed(items(answer)):
            began = poll["started_at"]
            if poll["state"] in FINISHED and began and datetime.fromisoformat(str(began)) >= since:
                return poll
        return None

    def _stored(self, incident: PlayedIncident, poll: dict[str, Json], before: Decimal) -> None:
        now = self._spent(incident.starts_at)
        said = f"{usd(str(now))} of {self._name} are known since {hour_start(incident.starts_at):%H:%M} UTC"
        if now > before:
            self._tell(Hop("store", f"{said}, {usd(str(before))} at the beginning"))
        else:
            self._tell(Hop("store", f"{said}, no more than at the beginning: {poll['id']}", broken=True))

    def _spent(self, at: datetime) -> Decimal:
        """Returns the workspace's dollars since the start of an instant's hour."""
        since = hour_start(at)
        of = SpendOf(since, since + timedelta(hours=3), self._plan.source.id, workspace=(self._plan.spender.id,))
        return Decimal(self._tocsin.spend.series(of, granularity=Granularity.HOUR).total.amount)

    def _evaluated(self, poll: dict[str, Json]) -> None:
        began = datetime.fromisoformat(str(poll["started_at"]))

        def evaluated() -> bool:
            newest = self._tocsin.sources.get(self._plan.source.id).status.evaluated_read_at
            return newest is not None and newest >= began

        if self._wait(evaluated, timedelta(minutes=5)):
            self._tell(Hop("evaluation", "budgets and rules were compared with what was read"))
        else:
            self._tell(Hop("evaluation", NO_WORKER, broken=True))

    def _judged(self, incident: PlayedIncident, read_at: datetime) -> AlertDetailOut | None:
        self._wait(lambda: self._alert_of(incident) is not None, JUDGED_WITHIN)
        alert = self._alert_of(incident)
        if alert is None:
            self._tell(Hop("alert", " ".join(self._objections()), broken=True))
            return None
        by = f"rule {alert.rule!r}" if alert.rule else f"budget {alert.budget!r}"
        detail = f"{by} fires {alert.id}, {alert.severity}: {alert.summary}"
        self._tell(Hop("alert", detail, _between(read_at, alert.opened_at)))
        return alert

    def _alert_of(self, incident: PlayedIncident) -> AlertDetailOut | None:
        for alert in self._tocsin.alerts.list(source=[self._plan.source.name], since=incident.starts_at):
            found = self._tocsin.alerts.get(alert.id) if self._is_watched_by(alert) else None
            if found and self._plan.spender.scopes & {found.scope, *(part.scope for part in found.contributions)}:
                return found
        return None

    def _is_watched_by(self, alert: AlertOut) -> bool:
        """Whether the alert is of a rule that watches the source; of a budget, where no rule does."""
        names = {rule.name for rule in self._plan.rules}
        return alert.rule in names if names else alert.budget is not None

    def _objections(self) -> Iterator[str]:
        """Yields why nothing has fired."""
        yield "nothing has fired."
        if not self._plan.rules:
            yield "No rule of the kinds anomaly and change watches the source: add one, POST /v1/rules."
        for rule in self._plan.rules:
            found = self._tocsin.alerts.explain(rule=rule.id, scope=f"workspace:{self._plan.spender.id}").items
            for one in found[:1]:
                yield f"Rule {rule.name!r} says of {one.name}: {one.conclusion}"

    def _notified(self, alert: AlertDetailOut) -> None:
        path = f"/alerts/{alert.id}"
        self._wait(lambda: are_settled(self._tocsin.server.ask("GET", path), OPENS), timedelta())
        shown = self._tocsin.server.ask("GET", path)
        queued = [one for one in items(shown, "notifications") if one["action"] in OPENS]
        if queued:
            first = min(datetime.fromisoformat(str(one["created_at"])) for one in queued)
            self._tell(Hop("notification", f"{len(queued)} queued", _between(alert.opened_at, first)))
        for hop in of_alert(shown, OPENS):
            self._tell(hop)

    @contextmanager
    def _taken_back_at_the_end(self, incident: PlayedIncident) -> Iterator[None]:
        try:
            yield
        finally:
            with postponed() as end_if_asked:
                ended = self._simulator.take_back(incident)
                end_if_asked()
            self._tell(Hop("take back", f"{self._name} spends as usual again since {ended.ends_at:%H:%M} UTC"))

    def _await_end(self) -> None:
        """Waits for the alert's own end where that is near."""
        alert = self._fired
        if alert is None or self._plan.pace.seconds(ENDS_WITHIN) > LONGEST_WAIT:
            return
        self._wait(lambda: not self._is_open(alert), ENDS_WITHIN)
        now = self._tocsin.alerts.get(alert.id)
        if now.state is AlertState.RESOLVED:
            why = now.events[-1].reason.value.replace("_", " ")
            self._tell(Hop("end", f"it is over: {why}", _between(alert.opened_at, now.changed_at)))
        else:
            self._tell(Hop("end", "it does not end, after hours of normal spend", broken=True))

    @contextmanager
    def _resolved_at_the_end(self, incident: PlayedIncident) -> Iterator[None]:
        """Resolves what the incident has opened and is open still, and sees that every channel knows of the end."""
        try:
            yield
        finally:
            alert = self._fired or self._alert_of(incident)
            if alert is not None:
                if self._is_open(alert):
                    self._resolve(alert)
                self._tell(self._heard_of_the_end(f"/alerts/{alert.id}"))

    def _is_open(self, alert: AlertDetailOut) -> bool:
        return self._tocsin.alerts.get(alert.id).state is not AlertState.RESOLVED

    def _resolve(self, alert: AlertDetailOut) -> None:
        with suppress(Clash):  # it has ended meanwhile
            self._tocsin.alerts.resolve(alert.id, NOTE)
        self._tell(Hop("resolve", f"{alert.id}, by the drill: by itself it ends after hours of normal spend"))

    def _heard_of_the_end(self, path: str) -> Hop:
        if self._wait(lambda: are_settled(self._tocsin.server.ask("GET", path), RESOLVES), timedelta()):
            return Hop("clean-up", "every channel knows of the end")
        return Hop("clean-up", "not every channel has heard of the end yet", broken=True)

    def _wait(self, is_over: Callable[[], bool], of_server: timedelta) -> bool:
        return self._watch.until(is_over, self._plan.pace.seconds(of_server)) is not None


def _between(first: datetime, last: datetime) -> float:
    return max(0.0, (last - first).total_seconds())
