"""`tocsin plan`, `apply` and `export`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

import typer
import yaml
from rich.console import Console
from rich.text import Text

from service.bootstrap.errors import OptionError, StartError
from service.cli.documents import as_json
from service.cli.remote.config_file import ConfigFile, escaped, read_config
from service.cli.remote.plan_report import KEPT, MARKS, as_document, backtest_lines, markdown
from service.cli.remote.replaying import Pause, ReplayedChange, replay_changes
from service.client import Mistake, RequestRefused, Server
from service.client.errors import Json

STYLES = {"create": "green", "change": "yellow", "delete": "red", "keep": "dim"}
NOTHING, REFUSED, DIFFERS = 0, 1, 3
"""Not 2, which is that of a wrong option or setting: a job that permits differences must not permit those."""


class PlanForm(StrEnum):
    """How a plan is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def form_of(*, as_json: bool, markdown: bool) -> PlanForm:
    """Returns the form that the options ask for. Raises OptionError for both."""
    if as_json and markdown:
        raise OptionError("--json and --markdown: it is one or the other")
    return PlanForm.JSON if as_json else PlanForm.MARKDOWN if markdown else PlanForm.TEXT


@dataclass(frozen=True, slots=True)
class BacktestsWanted:
    """Changed rules and budgets are replayed from this UTC day on. `pause` waits for so many seconds."""

    since: date
    pause: Pause = time.sleep


def plan(
    server: Server,
    path: Path,
    unlisted: str,
    out: Console,
    form: PlanForm = PlanForm.TEXT,
    backtests: BacktestsWanted | None = None,
) -> int:
    """Shows what `apply` would do, and what it would have fired. Returns the exit code: 3 where anything differs."""
    file = read_config(path, os.environ)
    changes = _compared(server, file, unlisted)
    replays = _replayed(server, file, changes, backtests)
    match form:
        case PlanForm.JSON:
            as_json(as_document(changes, replays if backtests is not None else None), out)
        case PlanForm.MARKDOWN:
            out.file.write(markdown(changes, replays))
        case PlanForm.TEXT:
            _show(changes, out)
            for line in backtest_lines(replays) if backtests is not None and changes else ():
                out.print(line, markup=False, highlight=False, soft_wrap=True)
    return DIFFERS if changes else NOTHING


def _replayed(
    server: Server, file: ConfigFile, changes: Iterable[dict[str, Json]], backtests: BacktestsWanted | None
) -> list[ReplayedChange]:
    if backtests is None or not isinstance(file.document, dict):
        return []
    return replay_changes(server, file.document, changes, backtests.since.isoformat(), backtests.pause)


def apply(server: Server, path: Path, unlisted: str, out: Console, *, sure: bool) -> int:
    """Makes the server as the file says, after a question unless one is `sure`. Returns the exit code."""
    changes, applied = _applied(server, path, unlisted, out, sure=sure)
    if applied:
        out.print(f"Applied: {_counted(changes)}.", highlight=False)
    elif changes:
        out.print("Nothing was changed.")
    return REFUSED if changes and not applied else NOTHING


def apply_as_json(server: Server, path: Path, unlisted: str, out: Console, *, sure: bool) -> int:
    """The same; the plan and the question are on standard error."""
    changes, applied = _applied(server, path, unlisted, Console(stderr=True), sure=sure)
    as_json({"applied": applied, "changes": list(changes)}, out)
    return REFUSED if changes and not applied else NOTHING


def _applied(
    server: Server, path: Path, unlisted: str, tell: Console, *, sure: bool
) -> tuple[list[dict[str, Json]], bool]:
    """Returns what differs, and whether it was applied: there is something, and nobody said no."""
    file = read_config(path, os.environ)
    changes = [one for one in _compared(server, file, unlisted) if one["action"] != "keep"]
    _show(changes, tell)
    if not changes or not (sure or typer.confirm("Apply this?", err=True)):
        return changes, False
    _put(server, file, dry_run="false", unlisted=unlisted)
    return changes, True


def export(server: Server, out: Console) -> None:
    """Writes all that is configured as YAML."""
    text = yaml.safe_dump(escaped(server.ask("GET", "/config")), sort_keys=False, allow_unicode=True, width=120)
    out.file.write(text)


def export_as_json(server: Server, out: Console) -> None:
    """Writes the same as JSON, which `plan` and `apply` read, too."""
    as_json(escaped(server.ask("GET", "/config")), out)


def schema(out: Console) -> None:
    """Writes the JSON Schema of the file, for editors."""
    from service.api.configuration.documents import ConfigIn

    out.file.write(f"{json.dumps(ConfigIn.model_json_schema(), indent=2)}\n")


def _put(server: Server, file: ConfigFile, *, dry_run: str, unlisted: str) -> dict[str, Json]:
    """Returns what differs, or differed. Raises StartError, which says where in the file a mistake is."""
    try:
        return server.ask("PUT", "/config", {"dry_run": dry_run, "unlisted": unlisted}, file.document)
    except RequestRefused as error:
        raise StartError(_located(error.mistakes, file) or str(error)) from error


def _located(mistakes: Iterable[Mistake], file: ConfigFile) -> str:
    """Returns mistakes, a line each, with where in the file they are."""
    return "\n".join(_mistake(one.pointer, one.detail, file) for one in mistakes)


def _mistake(pointer: str, detail: str, file: ConfigFile) -> str:
    lacking = file.lacking(pointer)
    return ": ".join(part for part in (file.place(pointer), lacking, detail) if part)


def _compared(server: Server, file: ConfigFile, unlisted: str) -> list[dict[str, Json]]:
    changes = _put(server, file, dry_run="true", unlisted=unlisted)["changes"]
    assert isinstance(changes, list)
    return [one for one in changes if isinstance(one, dict)]


def _show(changes: Iterable[dict[str, Json]], out: Console) -> None:
    changes = list(changes)
    if not changes:
        out.print("Nothing differs.")
    for change in changes:
        action = str(change["action"])
        mark, style = MARKS[action], STYLES[action]
        name = f" {change['name']}" if change["name"] else ""
        out.print(Text(f"{mark} {change['kind']}{name}", style=style))
        if action == "keep":
            out.print(Text(f"    {KEPT}", style="dim"))
            continue
        fields = change["fields"]
        assert isinstance(fields, list)
        for field in fields:
            assert isinstance(field, dict)
            out.print(Text(f"    {_field(field, action)}"), soft_wrap=True)
    if changes:
        out.print(f"{_counted(changes)}.", highlight=False)


def _field(field: dict[str, Json], action: str) -> str:
    """Returns a line; of what goes as a whole, the value that goes with it."""
    name, before, after = str(field["pointer"]).removeprefix("/").replace("/", "."), field["before"], field["after"]
    if before is None or action == "delete":
        return f"{name}: {_value(after if before is None else before)}"
    return f"{name}: {_value(before)} -> {'as usual' if after is None else _value(after)}"


def _value(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _counted(changes: Iterable[dict[str, Json]]) -> str:
    actions = [str(one["action"]) for one in changes]
    return ", ".join(f"{actions.count(action)} to {action}" for action in MARKS if action in actions)
