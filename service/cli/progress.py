"""A bar of what goes on, on standard error: standard output has the result alone."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress, ProgressColumn


def progress_bar(*columns: str | ProgressColumn) -> Progress:
    """Returns a bar that goes away at its end. It shows nothing where standard error is no terminal."""
    terminal = Console(stderr=True)
    return Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal)
