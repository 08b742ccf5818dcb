"""Every row of the table of costs, beside its anchor measured in the same run: `make bench`, under 15 minutes.

    python benchmarks/all.py                    # all of them
    python benchmarks/all.py ingest opening     # some

Each benchmark runs alone, in a process of its own; what it prints is shown as it comes, and its lines
(`benchmarks/report.py`) are one table at the end. Exit code 1 where one has failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from machine import described
from report import COLUMNS, Line, parsed

FOLDER = Path(__file__).parent
NAMES = ("start", "opening", "delivery", "judging", "anchor", "ingest", "store", "evaluation", "chart", "organisations")


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="name", help=f"of {', '.join(NAMES)}")
    chosen, machine, began = parser.parse_args().names, list(described()), time.monotonic()
    table: list[Line] = []
    failed = []
    for name in chosen:
        print(f"\n== {name}", flush=True)
        code, lines = run(name)
        table += lines
        failed += [name] if code else []
    print("\n".join(["", *machine, "", f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|", *map(str, table)]))
    print(f"\nTook {(time.monotonic() - began) / 60:.1f} minutes.")
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
