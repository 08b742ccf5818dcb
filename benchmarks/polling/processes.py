"""Processes of the product and what they and their database spend."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
TOCSIN = Path(sys.executable).with_name("tocsin")


@contextmanager
def running(commands: Sequence[Sequence[str]], settings: Mapping[str, str]) -> Iterator[list[int]]:
    """Runs them for as long as the block lasts; their process ids."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "ANTHROPIC_"))}
    with ExitStack() as stack:
        started = []
        for command in commands:
            process = subprocess.Popen(
                command, env={**clean, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            started.append(process.pid)
        yield started


def processor_seconds(pids: Sequence[int]) -> float:
    """The processor time of these processes and of their children, ended ones too (proc(5), fields 14 to 17)."""
    return sum(sum(_times(pid)) for pid in [*pids, *_children(pids)])


def _times(pid: int) -> list[float]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except FileNotFoundError:
        return []
    return [int(ticks) / TICKS for ticks in fields[11:15]]


def _children(pids: Sequence[int]) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(") ")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            found += [int(folder.name)] if parent in pids else []
    return found
