"""`mcp`: a server's figures for programs that speak the Model Context Protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.commands.options import LOCAL, Url

cli = typer.Typer()


@cli.command()
def mcp(
    port: Annotated[int, typer.Option(help="Speak HTTP at this port of 127.0.0.1; 0: standard input and output.")] = 0,
    url: Url = LOCAL,
) -> None:
    """Offer a server's figures to Claude and others, by the Model Context Protocol."""
    from service.cli.remote.server import server_at

    server = server_at(url)
    try:
        from service.cli.remote import context
    except ModuleNotFoundError as error:
        from service.bootstrap.errors import StartError

        raise StartError(f"{error.name} is not installed: pip install 'tocsin[mcp]'") from error
    if port:
        context.serve_http(server, port)
    else:
        context.serve_stdio(server)
