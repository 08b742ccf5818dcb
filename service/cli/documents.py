"""Writes the answer of `--json`: one document on standard output, whatever else is said on standard error."""

from __future__ import annotations

import json

from rich.console import Console


def as_json(answer: object, out: Console) -> None:
    """Writes an answer that has only what JSON has. No width and no colour of a terminal changes it."""
    out.file.write(f"{json.dumps(answer, ensure_ascii=False, indent=2)}\n")
