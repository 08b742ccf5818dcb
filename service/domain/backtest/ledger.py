"""The alerts of a replay: they open, get more severe and end as live ones do, and nobody answers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from service.domain.alerts.alert import FIRING_COMMANDS, Alert, AlertEvent, Command
from service.domain.alerts.findings import Finding
from service.domain.alerts.reconcile import Move, execute, found_since, reconcile
from service.domain.backtest.backtest import BacktestTally, Firing, ScopeTally, per_month
from service.domain.values.money import Money
from service.domain.values.scopes import ScopeKey

Describe = Callable[[AlertEvent], Firing]


class Ledger:
    """Every alert of one replay of one subject, and what was fired. `describe` puts an event into words."""

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._open: dict[str, Alert] = {}
        self._ended: dict[ScopeKey, Alert] = {}
        self._fired: list[tuple[str, Firing]] = []
        self._resolved: dict[str, datetime] = {}
        self._impact: dict[str, Money] = {}
        self._opened = 0

    @property
    def open_alerts(self) -> Sequence[Alert]:
        return list(self._open.values())

    @property
    def latest(self) -> Mapping[ScopeKey, Alert]:
        """The newest alert of each scope; of those with several at a time an open one."""
        return self._ended | {alert.scope: alert for alert in self._open.values()}

    def carry_out(self, findings: Sequence[Finding], now: datetime) -> list[tuple[Move, str]]:
        """Every move with the id of its alert, "" where there is none."""
        done = []
        for move in reconcile(self.open_alerts, findings):
            event = execute(move, new_alert_id=f"replayed_{self._opened + 1}", now=now)
            if event is not None:
                self._note(event)
            elif move.alert is not None and (found := found_since(move)) is not None:
                self._open[move.alert.fingerprint] = replace(move.alert, latest=found)
            alert = event.alert if event is not None else move.alert
            done.append((move, alert.id if alert is not None else ""))
        return done

    def note_impact(self, alert_id: str, impact: Money) -> None:
        """The excess of an alert up to now, in US dollars."""
        self._impact[alert_id] = impact

    def firings(self) -> list[Firing]:
        """In their order, each with what became of its alert."""
        return [
            replace(firing, impact=self._impact.get(alert_id), resolved_at=self._resolved.get(alert_id))
            for alert_id, firing in self._fired
        ]

    def _note(self, event: AlertEvent) -> None:
        alert = event.alert
        if event.command is Command.OPEN:
            self._opened += 1
        if event.command in FIRING_COMMANDS:
            self._fired.append((alert.id, self._describe(event)))
        if alert.is_open:
            self._open[alert.fingerprint] = alert
        else:
            del self._open[alert.fingerprint]
            self._ended[alert.scope] = alert
            self._resolved[alert.id] = event.at


def tally_of(firings: Sequence[Firing], first: date, last: date) -> BacktestTally:
    """All alerts of a replay in numbers."""
    opened = [firing for firing in firings if not firing.raised]
    return BacktestTally(
        alerts=len(opened),
        firings=len(firings),
        late=sum(firing.late for firing in firings),
        alerts_per_month=per_month(len(opened), first, last),
        dollars=Money.total(firing.impact for firing in opened if firing.impact is not None),
    )


def tallies_by_scope(firings: Sequence[Firing]) -> tuple[ScopeTally, ...]:
    """The scopes with the most alerts first."""
    opened = Counter(firing.scope for firing in firings if not firing.raised)
    fired = Counter(firing.scope for firing in firings)
    names = {firing.scope: firing.name for firing in firings}
    ordered = sorted(fired, key=lambda scope: (-opened[scope], -fired[scope], str(scope)))
    return tuple(ScopeTally(scope, names[scope], opened[scope], fired[scope]) for scope in ordered)
