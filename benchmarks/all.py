"""Every row of the table of costs, beside its anchor measured in the same run: `make bench`, under 15 minutes.

    python benchmarks/all.py                    # all of them
    python benchmarks/all.py ingest opening     # some
    python benchmarks/all.py --document docs/performance.md

Each benchmark runs alone, in a process of its own. What it prints is shown as it comes, and its lines
(`benchmarks/report.py`) are one table at the end. `--document` puts it below the document's marker, too. Exit code 1
where one has failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from machine import described
from report import COLUMNS, Line, parsed

FOLDER = Path(__file__).parent
ORDER = ("start", "opening", "delivery", "judging", "ingest", "store", "evaluation", "organisations")
NAMES = tuple(name for name in ORDER if (FOLDER / f"{name}.py").exists())
MARKER = "<!-- below: the output of make bench -->"


def run(name: str) -> tuple[int, list[Line]]:
    """Runs one benchmark; its exit code and its lines."""
    command = [sys.executable, str(FOLDER / f"{name}.py")]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for text in process.stdout:
            print(text, end="", flush=True)
            line = parsed(text)
            if line is not None:
                lines.append(line)
    return process.returncode, lines


def shown(machine: Sequence[str], table: Sequence[Line], minutes: float) -> str:
    """The machine in a list and the figures in a table, as Markdown."""
    rows = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|", *map(str, table)]
    return "\n".join([*(f"- {text}" for text in machine), f"- took {minutes:.0f} minutes", "", *rows])


def keep(document: Path, text: str) -> None:
    """Puts the text in the place of all that stands below the marker."""
    head, marker, _ = document.read_text().partition(MARKER)
    document.write_text(f"{head}{marker or MARKER}\n\n{text}\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="name", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--document", type=Path, help="the file that keeps the table")
    asked, machine, began = parser.parse_args(), list(described()), time.monotonic()
    table: list[Line] = []
    failed = []
    for name in asked.names:
        print(f"\n== {name}", flush=True)
        code, lines = run(name)
        table += lines
        failed += [name] if code else []
    text = shown(machine, table, (time.monotonic() - began) / 60)
    print(f"\n{text}")
    if asked.document is not None:
        keep(asked.document, text)
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
