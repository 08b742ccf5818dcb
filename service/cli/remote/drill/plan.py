"""The plan of an incident: a simulated source, a workspace that spends, and the rules that watch it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from service.api.rules.rules import RuleOut
from service.api.sources.sources import SourceOut
from service.api.spend.breakdown import DivideBy
from service.api.spend.spend import Granularity
from service.bootstrap.errors import StartError
from service.cli.remote.drill.simulator import SimulatedWorkspace, Simulator
from service.cli.remote.drill.stopwatch import Stopwatch
from service.client.spend import SpendOf
from service.client.tocsin import TocsinClient
from service.domain.alerts.alert import AlertState
from service.domain.values.durations import parse_duration
from service.domain.values.utc import DAY

WATCHING = frozenset({"anomaly", "change"})
"""The kinds of rules that a workspace breaks which spends ten times as much."""
OPEN = (AlertState.FIRING, AlertState.ACKNOWLEDGED, AlertState.SNOOZED)
JUDGED_WITHIN = timedelta(hours=2, minutes=30)
"""Two closed hours, and the polls that read them."""
ENDS_WITHIN = timedelta(hours=9)
"""Six normal hours, and the polls that read them."""
BETWEEN_READINGS = 1.0
"""Seconds between two readings of the server's clock."""


@dataclass(frozen=True, slots=True)
class ServerPace:
    """`speed`: how many times as fast as ours the server's clock runs. `patience`: the least seconds for a hop."""

    speed: float
    patience: float

    def seconds(self, of_server: timedelta) -> float:
        """Returns how long to wait for what takes so long by the server's clock."""
        return max(self.patience, of_server.total_seconds() / self.speed)


@dataclass(frozen=True, slots=True)
class IncidentPlan:
    """`rules` watch the source; where there are none, its budgets do."""

    source: SourceOut
    spender: SimulatedWorkspace
    rules: tuple[RuleOut, ...]
    pace: ServerPace

    @property
    def polled_within(self) -> timedelta:
        return parse_duration(self.source.poll_interval) + timedelta(minutes=10)

    @property
    def longest(self) -> float:
        """The seconds after which the alert has fired, or a hop is broken."""
        return self.pace.seconds(self.polled_within + JUDGED_WITHIN)


def source_of(tocsin: TocsinClient, reference: str) -> SourceOut:
    """Returns the source of that name or id, the only enabled one where none is named. Raises StartError."""
    enabled = [one for one in tocsin.sources.list() if one.enabled]
    found = [one for one in enabled if reference in ("", one.name, one.id)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in enabled) or "none"
    raise StartError(f"name the source to rehearse with --source; enabled are: {names}")


def plan_incident(
    tocsin: TocsinClient, source: SourceOut, simulator: Simulator, patience: float, watch: Stopwatch
) -> IncidentPlan:
    """Raises StartError where an incident would show nothing."""
    rules = tuple(
        one for one in tocsin.rules.list() if one.enabled and one.source == source.name and one.kind in WATCHING
    )
    spender = _largest_spender(tocsin, source, simulator)
    _require_no_open_alert(tocsin, source, spender)
    return IncidentPlan(source, spender, rules, ServerPace(_speed(tocsin, watch), patience))


def _largest_spender(tocsin: TocsinClient, source: SourceOut, simulator: Simulator) -> SimulatedWorkspace:
    now, spenders = tocsin.server.now(), simulator.spenders()
    lately = SpendOf(now - DAY, now, source.id)
    found = tocsin.spend.breakdown(lately, DivideBy.WORKSPACE, granularity=Granularity.HOUR).items
    for one in found:
        if one.id in spenders:
            return spenders[one.id]
    raise StartError(f"no workspace of {source.name} has spent anything in the last 24 hours: see that it is polled")


def _require_no_open_alert(tocsin: TocsinClient, source: SourceOut, spender: SimulatedWorkspace) -> None:
    """The incident would join an open alert of a rule, and notify nobody."""
    for alert in tocsin.alerts.list(state=OPEN, source=[source.name]):
        if alert.rule and alert.scope in ("org", *spender.scopes):
            raise StartError(
                f"{alert.id} of the rule {alert.rule!r} is open: the incident would join it and notify nobody."
                " Begin when it is over: tocsin alerts"
            )


def _speed(tocsin: TocsinClient, watch: Stopwatch) -> float:
    first, began = tocsin.server.now(), watch.seconds()
    watch.pause(BETWEEN_READINGS)
    passed = (tocsin.server.now() - first).total_seconds()
    return max(1.0, passed / (watch.seconds() - began))
