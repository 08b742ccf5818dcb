"""Commands that answer alerts: `ack`, `snooze`, `resolve`, `hand-on`, `silence`."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.commands.options import LOCAL, AsJson, Url, out

cli = typer.Typer()

AlertId = Annotated[str, typer.Argument(help="The alert's id, from `tocsin alerts`.")]
AlertNote = Annotated[str, typer.Option(help="Kept with the move, and told to whoever was notified.")]


@cli.command()
def ack(alert: AlertId, note: AlertNote = "", as_json: AsJson = False, url: Url = LOCAL) -> None:
    """Acknowledge an alert: somebody is looking into it."""
    _answer(alert, "acknowledge", {"note": note}, as_json, url)


@cli.command()
def snooze(
    alert: AlertId,
    for_: Annotated[str, typer.Option("--for", help="How long: 30m, 4h, 2d.")] = "4h",
    note: AlertNote = "",
    as_json: AsJson = False,
    url: Url = LOCAL,
) -> None:
    """Keep an alert quiet for a while."""
    from service.cli.remote.lengths import length_of

    length_of("--for", for_)
    _answer(alert, "snooze", {"for": for_, "note": note}, as_json, url)


@cli.command()
def resolve(alert: AlertId, note: AlertNote = "", as_json: AsJson = False, url: Url = LOCAL) -> None:
    """Resolve an alert: it is over."""
    _answer(alert, "resolve", {"note": note}, as_json, url)


@cli.command()
def hand_on(
    alert: AlertId,
    to: Annotated[str, typer.Argument(help="The name or id of the receiver that has it from now on.")],
    note: AlertNote = "",
    as_json: AsJson = False,
    url: Url = LOCAL,
) -> None:
    """Hand an alert on to somebody else, who is notified now."""
    _answer(alert, "hand-on", {"to": to, "note": note}, as_json, url)


@cli.command()
def silence(
    matchers: Annotated[
        list[str] | None, typer.Argument(help="Which alerts: team=eng, workspace=~prod-.*; all must match.")
    ] = None,
    for_: Annotated[str, typer.Option("--for", help="How long: 30m, 4h, 2d.")] = "4h",
    note: Annotated[str, typer.Option(help="Why; kept with the silence.")] = "",
    name: Annotated[str, typer.Option(help="A name; made of the matchers and the time where none is given.")] = "",
    end: Annotated[str, typer.Option(help="End the silence of this name or id instead.")] = "",
    as_json: AsJson = False,
    url: Url = LOCAL,
) -> None:
    """Let matching alerts notify nobody for a while."""
    from service.bootstrap.errors import OptionError
    from service.cli.remote import silencing
    from service.cli.remote.options import given_by
    from service.cli.remote.server import server_at

    if bool(matchers) == bool(end):
        raise OptionError("say which alerts, such as team=eng, or which silence to --end: one of them")
    options = {"name": "--name", "matchers": "MATCHERS", "ends_at": "--for", "comment": "--note"}
    with server_at(url) as server, given_by(options):
        if end:
            (silencing.end_as_json if as_json else silencing.end)(server, end, out)
        else:
            wanted = silencing.SilenceWanted(tuple(matchers or ()), for_, note, name)
            make = silencing.silence_as_json if as_json else silencing.silence
            make(server, wanted, server.now(), out)


def _answer(alert: str, move: str, body: dict[str, str], as_json: bool, url: str) -> None:
    from service.cli.remote import answering
    from service.cli.remote.options import given_by
    from service.cli.remote.server import server_at

    show = answering.answer_as_json if as_json else answering.answer
    with server_at(url) as server, given_by({"note": "--note", "for": "--for", "until": "--for", "to": "TO"}):
        show(server, alert, move, body, out)
