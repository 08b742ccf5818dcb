"""`tocsin drill`: where it leads, a question, the hops, and the verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import quote

import typer
from rich.console import Console
from rich.text import Text

from service.bootstrap.errors import OptionError, StartError
from service.cli.documents import as_json
from service.cli.remote.drill.ending import cleaning_up_when_ended
from service.cli.remote.drill.hops import Hop, kind_of
from service.cli.remote.drill.incident import IncidentRehearsal
from service.cli.remote.drill.plan import IncidentPlan, plan_incident, source_of
from service.cli.remote.drill.rehearsal import DrillWanted, Rehearsal
from service.cli.remote.drill.simulator import TIMES, Simulator, simulator_of
from service.cli.remote.drill.stopwatch import Stopwatch
from service.cli.remote.showing import items
from service.client import Server
from service.client.errors import Json, ServerError
from service.client.tocsin import TocsinClient

PASSED, NOT_PASSED = 0, 1
FASTER = 1.5
"""The speed from which on a clock is not the real one: it is measured with some error."""
REAL = Stopwatch(time.monotonic, time.sleep)

Tell = Callable[[Hop], None]
Rehearse = Callable[[Tell], None]


def drill(server: Server, wanted: DrillWanted, out: Console, *, sure: bool, watch: Stopwatch = REAL) -> int:
    """Shows where it leads, asks unless one is `sure`, and rehearses. Returns the exit code."""
    labels = {"kind": "drill", **wanted.labels, "severity": wanted.severity, "scope": "org"}
    source = _name_of(server, wanted.source) if wanted.source else ""
    _show_destinations(server, labels, source, "The drill notifies, each message marked DRILL:", out)
    if not _agreed(out, sure=sure):
        return NOT_PASSED
    return _show_hops(lambda tell: Rehearsal(server, wanted, watch, tell).run(), out)


def drill_as_json(server: Server, wanted: DrillWanted, out: Console, *, watch: Stopwatch = REAL) -> int:
    """Rehearses without a question, and writes the hops."""
    return _write_hops(lambda tell: Rehearsal(server, wanted, watch, tell).run(), out)


def incident(server: Server, wanted: DrillWanted, out: Console, *, sure: bool, watch: Stopwatch = REAL) -> int:
    """Does the same with an incident in the simulator. Raises StartError where none can be played."""
    with _planned(server, wanted, watch) as (simulator, plan):
        labels = {"kind": "rule", "severity": wanted.severity, "scope": "org"}
        spends = f"{plan.spender.name} will spend {TIMES} times as much; the alert, marked SIMULATED, notifies:"
        _show_destinations(server, labels, plan.source.name, spends, out)
        out.print(_duration(plan), highlight=False, soft_wrap=True)
        if not _agreed(out, sure=sure):
            return NOT_PASSED
        return _show_hops(_rehearsal(server, simulator, plan, watch), out)


def incident_as_json(server: Server, wanted: DrillWanted, out: Console, *, watch: Stopwatch = REAL) -> int:
    with _planned(server, wanted, watch) as (simulator, plan):
        return _write_hops(_rehearsal(server, simulator, plan, watch), out)


@contextmanager
def _planned(server: Server, wanted: DrillWanted, watch: Stopwatch) -> Iterator[tuple[Simulator, IncidentPlan]]:
    if wanted.labels:
        raise OptionError("--label is of the marked alert: what an incident opens has its own labels")
    tocsin = TocsinClient(server)
    source = source_of(tocsin, wanted.source)
    with simulator_of(source) as simulator:
        yield simulator, plan_incident(tocsin, source, simulator, wanted.patience, watch)


def _duration(plan: IncidentPlan) -> str:
    longest = _length(plan.longest)
    if plan.pace.speed < FASTER:
        return f"The alert fires within {longest}; on a server with TOCSIN_CLOCK=now@60, within minutes."
    return f"The server's clock runs {plan.pace.speed:.0f} times as fast: the alert fires within {longest} of yours."


def _rehearsal(server: Server, simulator: Simulator, plan: IncidentPlan, watch: Stopwatch) -> Rehearse:
    return lambda tell: IncidentRehearsal(TocsinClient(server), simulator, plan, watch, tell).run()


def _name_of(server: Server, source: str) -> str:
    """Returns what routes know a source by. Raises ServerError where there is no such source."""
    return str(server.ask("GET", f"/sources/{quote(source, safe='')}")["name"])


def _agreed(out: Console, *, sure: bool) -> bool:
    if sure or typer.confirm("Begin the drill?"):
        return True
    out.print("Nobody was notified.")
    return False


def _show_hops(rehearse: Rehearse, out: Console) -> int:
    """Shows each hop as it is known, and the verdict. Returns the exit code."""
    hops: list[Hop] = []

    def tell(hop: Hop) -> None:
        hops.append(hop)
        _show(hop, out)

    with _verdict_at_the_end(hops, lambda: _show_verdict(hops, out), tell):
        rehearse(tell)
    return _exit_code(hops)


def _write_hops(rehearse: Rehearse, out: Console) -> int:
    hops: list[Hop] = []
    with _verdict_at_the_end(hops, lambda: _write_verdict(hops, out), hops.append):
        rehearse(hops.append)
    return _exit_code(hops)


@contextmanager
def _verdict_at_the_end(hops: Sequence[Hop], say: Callable[[], None], tell: Tell) -> Iterator[None]:
    """Says the verdict of a drill that has begun, also of one that is ended or cannot go on: that is a broken hop."""
    try:
        with cleaning_up_when_ended():
            yield
    except (KeyboardInterrupt, ServerError, StartError) as error:
        if hops:
            tell(Hop("drill", str(error) or "ended before it was over", broken=True))
            say()
        raise
    say()


def _exit_code(hops: Sequence[Hop]) -> int:
    return NOT_PASSED if any(hop.broken for hop in hops) else PASSED


def _show_verdict(hops: Sequence[Hop], out: Console) -> None:
    broken = [hop.name for hop in hops if hop.broken]
    if broken:
        out.print(f"[bold red]Not passed[/]: {len(broken)} of {len(hops)} hops broke, first: ", end="", highlight=False)
        out.print(broken[0], markup=False, highlight=False)
    else:
        out.print(f"[bold green]Passed[/]: {len(hops)} hops.", highlight=False)


def _write_verdict(hops: Sequence[Hop], out: Console) -> None:
    shown: list[Json] = [
        {"hop": hop.name, "seconds": _rounded(hop.seconds), "broken": hop.broken, "detail": hop.detail} for hop in hops
    ]
    as_json({"passed": not any(hop.broken for hop in hops), "hops": shown}, out)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _show_destinations(server: Server, labels: Mapping[str, str], source: str, heading: str, out: Console) -> None:
    named = {"source": source} if source else {}
    asked = [f"{name}={value}" for name, value in {**labels, **named}.items()]
    found = items(server.ask("GET", "/routes/match", {"label": asked}), "goes_to")
    out.print(heading if found else "No route leads to a channel.", markup=False, highlight=False, soft_wrap=True)
    for one in found:
        after = f", {one['after']} later unless the drill is over" if one["after"] != "0s" else ""
        held = f", held back by {one['held_by']}" if one["held_by"] else ""
        line = f"    {one['receiver']} ({kind_of(one['channel'])}){after}{held}"
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def _show(hop: Hop, out: Console) -> None:
    mark = Text("no", style="red") if hop.broken else Text("ok", style="green")
    took = _length(hop.seconds) if hop.seconds is not None else "-"
    out.print(Text.assemble(mark, f"  {hop.name}  {took:>6}  {hop.detail}"), soft_wrap=True)


def _length(seconds: float) -> str:
    """Returns "0.4 s", "12 min", "2 h 30 min"."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
