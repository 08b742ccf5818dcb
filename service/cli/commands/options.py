"""Options that several commands have, and where they write."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

Url = Annotated[str, typer.Option(envvar="TOCSIN_URL", help="The server; its token is in TOCSIN_TOKEN.")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]
SourceName = Annotated[str, typer.Option("--source", help="The source's name or id; not needed for one.")]
LOCAL = "http://127.0.0.1:8400"

out = Console()
