"""`tocsin plan`, `apply` and `export`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import typer
import yaml
from rich.console import Console
from rich.text import Text

from service.bootstrap.errors import StartError
from service.cli.remote.config_file import ConfigFile, escaped, read_config
from service.cli.remote.showing import as_json
from service.client import Mistake, RequestRefused, Server
from service.client.errors import Json

MARKS = {"create": ("+", "green"), "change": ("~", "yellow"), "delete": ("-", "red"), "keep": ("?", "dim")}
KEPT = "stored, and not in the file: left as it is; --prune deletes it"
NOTHING, DIFFERS = 0, 3
"""Not 2, which is that of a wrong option or setting: a job that permits differences must not permit those."""


def plan(server: Server, path: Path, unlisted: str, out: Console) -> int:
    """Shows what `apply` would do. Returns the exit code: 3 where anything differs."""
    changes = _compared(server, read_config(path, os.environ), unlisted)
    _show(changes, out)
    return DIFFERS if changes else NOTHING


def plan_as_json(server: Server, path: Path, unlisted: str, out: Console) -> int:
    """Writes the changes that `apply` would make. Returns the exit code, as `plan` does."""
    changes = _compared(server, read_config(path, os.environ), unlisted)
    as_json({"changes": [*changes]}, out)
    return DIFFERS if changes else NOTHING


def apply(server: Server, path: Path, unlisted: str, out: Console, *, sure: bool) -> int:
    """Makes the server as the file says, after a question unless one is `sure`."""
    file = read_config(path, os.environ)
    changes = [one for one in _compared(server, file, unlisted) if one["action"] != "keep"]
    _show(changes, out)
    if not changes:
        return NOTHING
    if not sure and not typer.confirm("Apply this?"):
        out.print("Nothing was changed.")
        return 1
    _put(server, file, dry_run="false", unlisted=unlisted)
    out.print(f"Applied: {_counted(changes)}.", highlight=False)
    return NOTHING


def export(server: Server, out: Console) -> None:
    """Writes all that is configured as YAML."""
    text = yaml.safe_dump(escaped(server.ask("GET", "/config")), sort_keys=False, allow_unicode=True, width=120)
    out.file.write(text)


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
        mark, style = MARKS[action]
        name = f" {change['name']}" if change["name"] else ""
        out.print(Text(f"{mark} {change['kind']}{name}", style=style))
        if action == "keep":
            out.print(Text(f"    {KEPT}", style="dim"))
            continue
        fields = change["fields"]
        assert isinstance(fields, list)
        for field in fields:
            assert isinstance(field, dict)
            out.print(Text(f"    {_field(field)}"), soft_wrap=True)
    if changes:
        out.print(f"{_counted(changes)}.", highlight=False)


def _field(field: dict[str, Json]) -> str:
    name, before, after = str(field["pointer"]).removeprefix("/").replace("/", "."), field["before"], field["after"]
    if before is None:
        return f"{name}: {_value(after)}"
    return f"{name}: {_value(before)} -> {'as usual' if after is None else _value(after)}"


def _value(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _counted(changes: Iterable[dict[str, Json]]) -> str:
    actions = [str(one["action"]) for one in changes]
    return ", ".join(f"{actions.count(action)} to {action}" for action in MARKS if action in actions)
