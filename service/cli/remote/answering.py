"""`tocsin ack`, `snooze`, `resolve` and `hand-on`: an alert is answered."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from rich.console import Console

from service.cli.documents import as_json
from service.cli.remote.showing import when
from service.client import Server
from service.client.errors import Json
from service.domain.alerts.alert import AlertState
from service.domain.values.plain_text import clean


def answer(server: Server, alert: str, move: str, body: Mapping[str, str], out: Console) -> None:
    """Moves an alert, and says how it stands. Raises ServerError where it cannot be moved so."""
    after = _moved(server, alert, move, body)
    until = f" until {when(after['snoozed_until'])}" if after.get("snoozed_until") else ""
    is_held = after.get("handed_to") and after["state"] != AlertState.RESOLVED
    holder = f", handed on to {clean(str(after['handed_to']))}" if is_held else ""
    out.print(f"{after['id']} is {after['state']}{until}{holder}.", markup=False, highlight=False)


def answer_as_json(server: Server, alert: str, move: str, body: Mapping[str, str], out: Console) -> None:
    as_json(_moved(server, alert, move, body), out)


def _moved(server: Server, alert: str, move: str, body: Mapping[str, str]) -> dict[str, Json]:
    return server.ask("POST", f"/alerts/{quote(alert, safe='')}/{move}", body={**body})
