"""`tocsin ack`, `snooze` and `resolve`: an alert is answered."""

from __future__ import annotations

from urllib.parse import quote

from rich.console import Console

from service.cli.remote.server import Json, Server
from service.cli.remote.showing import when


def answer(server: Server, alert: str, move: str, body: dict[str, Json], out: Console) -> None:
    """Moves an alert, and says how it stands. Raises ServerError where it cannot be moved so."""
    after = server.ask("POST", f"/alerts/{quote(alert, safe='')}/{move}", body=body)
    until = f" until {when(after['snoozed_until'])}" if after.get("snoozed_until") else ""
    out.print(f"{after['id']} is {after['state']}{until}.", markup=False, highlight=False)
