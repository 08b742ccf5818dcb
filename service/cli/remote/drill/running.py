"""`tocsin drill`: where it leads, a question, the hops, and the verdict."""

from __future__ import annotations

import time

import typer
from rich.console import Console
from rich.text import Text

from service.cli.documents import as_json
from service.cli.remote.drill.hops import Hop, kind_of
from service.cli.remote.drill.rehearsal import DrillWanted, Rehearsal, Stopwatch
from service.cli.remote.showing import items
from service.client import Server
from service.client.errors import Json

PASSED, NOT_PASSED = 0, 1
REAL = Stopwatch(time.monotonic, time.sleep)


def drill(server: Server, wanted: DrillWanted, out: Console, *, sure: bool, watch: Stopwatch = REAL) -> int:
    """Shows where it leads, asks unless one is `sure`, and rehearses. Returns the exit code."""
    _show_destinations(server, wanted, out)
    if not sure and not typer.confirm("Begin the drill?"):
        out.print("Nobody was notified.")
        return NOT_PASSED
    hops: list[Hop] = []

    def tell(hop: Hop) -> None:
        hops.append(hop)
        _show(hop, out)

    Rehearsal(server, wanted, watch, tell).run()
    broken = [hop.name for hop in hops if hop.broken]
    if broken:
        out.print(f"[bold red]Not passed[/]: {len(broken)} of {len(hops)} hops broke, first: ", end="", highlight=False)
        out.print(broken[0], markup=False, highlight=False)
    else:
        out.print(f"[bold green]Passed[/]: {len(hops)} hops.", highlight=False)
    return NOT_PASSED if broken else PASSED


def drill_as_json(server: Server, wanted: DrillWanted, out: Console, *, watch: Stopwatch = REAL) -> int:
    """Rehearses without a question, and writes the hops."""
    hops: list[Hop] = []
    Rehearsal(server, wanted, watch, hops.append).run()
    broken = any(hop.broken for hop in hops)
    shown: list[Json] = [
        {"hop": hop.name, "seconds": _rounded(hop.seconds), "broken": hop.broken, "detail": hop.detail} for hop in hops
    ]
    as_json({"passed": not broken, "hops": shown}, out)
    return NOT_PASSED if broken else PASSED


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _show_destinations(server: Server, wanted: DrillWanted, out: Console) -> None:
    labels = {"kind": "drill", **wanted.labels, "severity": wanted.severity, "scope": "org"}
    source = {"source": wanted.source} if wanted.source else {}
    asked = [f"{name}={value}" for name, value in {**labels, **source}.items()]
    found = items(server.ask("GET", "/routes/match", {"label": asked}), "goes_to")
    out.print("The drill notifies, each message marked DRILL:" if found else "No route leads to a channel.")
    for one in found:
        after = f", {one['after']} later unless the drill is over" if one["after"] != "0s" else ""
        held = f", held back by {one['held_by']}" if one["held_by"] else ""
        line = f"    {one['receiver']} ({kind_of(one['channel'])}){after}{held}"
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def _show(hop: Hop, out: Console) -> None:
    mark = Text("no", style="red") if hop.broken else Text("ok", style="green")
    took = f"{hop.seconds:.1f} s" if hop.seconds is not None else "-"
    out.print(Text.assemble(mark, f"  {hop.name}  {took:>6}  {hop.detail}"), soft_wrap=True)
