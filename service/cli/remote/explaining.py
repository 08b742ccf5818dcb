"""`tocsin explain`: why an alert fired, or what a rule or a budget says of an instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from service.api.alerts.documents import AlertDetailOut
from service.api.explain import ExplanationOut, ExplanationsOut
from service.bootstrap.errors import OptionError
from service.cli.documents import as_json
from service.cli.remote.showing import table
from service.client.alerts import AlertsClient
from service.client.errors import Json
from service.client.server import Server
from service.domain.values.plain_text import moment

MOST = 10
"""Scopes that are shown of a rule or a budget."""


@dataclass(frozen=True, slots=True)
class ExplainWanted:
    """An alert's id, or a rule or a budget, one of the three; `scope` and `at` may narrow the latter two."""

    alert: str
    rule: str
    budget: str
    scope: str
    at: datetime | None

    def __post_init__(self) -> None:
        if sum(map(bool, (self.alert, self.rule, self.budget))) != 1:
            raise OptionError("name an alert, or a rule with --rule, or a budget with --budget: one of them")


def explain(server: Server, wanted: ExplainWanted, out: Console) -> None:
    """Shows the sentence, the numbers and the gates of each scope."""
    client = AlertsClient(server)
    if not wanted.alert:
        _show(client.explain(rule=wanted.rule, budget=wanted.budget, scope=wanted.scope, at=wanted.at), out)
        return
    alert = client.get(wanted.alert)
    _line(out, f"{alert.summary} ({alert.severity}, {alert.state}, since {moment(alert.opened_at)})")
    found = _of_alert(client, alert)
    if found is None:
        _line(out, f"It is of no rule and no budget: Tocsin watches {alert.kind.replace('_', ' ')} by itself.")
    else:
        _show(found, out)


def explain_as_json(server: Server, wanted: ExplainWanted, out: Console) -> None:
    client = AlertsClient(server)
    if not wanted.alert:
        found = client.explain(rule=wanted.rule, budget=wanted.budget, scope=wanted.scope, at=wanted.at)
        as_json(found.model_dump(mode="json"), out)
        return
    alert = client.get(wanted.alert)
    of_alert = _of_alert(client, alert)
    shown: dict[str, Json] = {"alert": alert.model_dump(mode="json")}
    as_json(shown | {"explanations": of_alert.model_dump(mode="json") if of_alert else None}, out)


def _of_alert(client: AlertsClient, alert: AlertDetailOut) -> ExplanationsOut | None:
    """The explanation of the instant at which it opened; None where no rule and no budget has opened it."""
    if alert.rule is None and alert.budget is None:
        return None
    return client.explain(rule=alert.rule or "", budget=alert.budget or "", scope=alert.scope, at=alert.opened_at)


def _show(found: ExplanationsOut, out: Console) -> None:
    subject = found.rule or found.budget
    _line(out, f"{subject.name if subject else ''} at {moment(found.at)}:")
    for one in found.items[:MOST]:
        _show_one(one, out)
    if len(found.items) > MOST:
        _line(out, f"and {len(found.items) - MOST} more; narrow it by --scope, or ask for --json.")
    if not found.items:
        _line(out, "Nothing of its scope was known then.")


def _show_one(one: ExplanationOut, out: Console) -> None:
    threshold = f", {one.threshold}" if one.threshold else ""
    _line(out, "")
    _line(out, f"{one.name}{threshold}: {one.conclusion}")
    _line(out, f"    {one.cause}")
    for given in one.inputs:
        _line(out, f"    {given.label}: {given.value}")
    rows = [(gate.gate, "yes" if gate.passed else "no", gate.found, gate.needed) for gate in one.gates]
    if rows:
        table(("gate", "passed", "found", "needed"), rows, frozenset(), out)


def _line(out: Console, text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
