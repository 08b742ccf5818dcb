"""The first lines of a start: where it listens, the first token, and what people must know."""

from __future__ import annotations

from rich.console import Console

from service.settings import Settings
from service.workflows.operation.first_start import FirstStart


def greet(settings: Settings, out: Console, start: FirstStart) -> None:
    out.print(
        f"[bold]Tocsin[/] listens on {settings.link} (open it in a browser; its API: {settings.link}/docs)",
        highlight=False,
        soft_wrap=True,
    )
    if start.admin_token is not None:
        out.print(f"admin token, shown this once: [bold]{start.admin_token}[/]", highlight=False, soft_wrap=True)
    if start.simulated:
        out.print(
            "[yellow]No ANTHROPIC_ADMIN_KEY is set: watching the built-in simulator. All spend below is invented.[/]",
            highlight=False,
            soft_wrap=True,
        )
    for remark in start.remarks:
        out.print(remark, style="yellow", markup=False, highlight=False, soft_wrap=True)
    out.print("Ctrl-C stops.", highlight=False)
