"""The documents name what there is: settings, routes, commands, options, channels, faults; and nothing that is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import pytest
import typer.main
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from service.api.app import create_app
from service.api.dashboard.session import signed_in
from service.api.http.deps import authenticate
from service.cli.app import cli
from service.cli.environment import CLIENT_ONLY, COMPOSE_ONLY
from service.domain.budgets.budget import Budget
from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.discord import Discord
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import KINDS as KINDS_OF_CHANNEL
from service.domain.notify.channels.slack import SlackBot, SlackWebhook
from service.domain.notify.channels.teams import Teams
from service.domain.notify.channels.webhook import Webhook
from service.domain.notify.notification import Action
from service.domain.rules.feedback import FeedbackKind
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Gates, Rule
from service.domain.values.periods import PeriodKind
from service.settings import Settings
from service.simulator.protocol.faults import ENDPOINTS, Fault
from service.simulator.world.scenarios import SCENARIOS
from service.workflows.ports.unit_of_work import Ports

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
MOST_LINES = 160

DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE_PATH = re.compile(r"`((?:service|tests|migrations|docs)/[\w/.-]*)`")
ROUTE = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?]*)(?:\?[^`]*)?`")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def cells(text: str) -> Iterator[list[str]]:
    """The rows of a document's tables."""
    for line in text.splitlines():
        if line.startswith("|") and not line.startswith("|-"):
            yield [cell.strip() for cell in line.strip().strip("|").split("|")]


def anchors(path: Path) -> set[str]:
    """What a heading may be linked by, as code forges make it."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", read(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ------------------------------------------------------------------------------------------- settings


def settings_defaults() -> dict[str, str]:
    """What docs/settings.md has to say: each variable and its default."""
    said: dict[str, str] = {}
    for name, field in Settings.model_fields.items():
        variable = str(field.validation_alias or f"TOCSIN_{name.upper()}")
        default = {None: "none", "": "empty"}.get(field.default)
        said[variable] = default or f"`{field.default}`"
    return said


def test_every_setting_is_documented_with_its_default() -> None:
    rows = [row for row in cells(read(DOCS / "settings.md")) if row[0].startswith("`")]
    assert {row[0].strip("`"): row[1] for row in rows} == settings_defaults()
    assert all(len(row) == 3 and row[2] for row in rows)


def test_no_document_names_a_setting_that_does_not_exist() -> None:
    kubernetes = {"TOCSIN_SERVICE_HOST"}
    known = settings_defaults().keys() | COMPOSE_ONLY | CLIENT_ONLY | kubernetes
    for document in DOCUMENTS:
        named = set(re.findall(r"\bTOCSIN_[A-Z_]+[A-Z]\b", read(document)))
        assert named <= known, relative(document)


# ------------------------------------------------------------------------------------------- routes


def test_every_route_of_the_api_is_documented_and_no_other() -> None:
    app = create_app(cast("Ports", None), ready=cast("Any", None))
    served = {(method.upper(), path) for path, operations in app.openapi()["paths"].items() for method in operations}
    rows = [row[0] for row in cells(read(DOCS / "rest.md"))]
    assert {match for row in rows for match in ROUTE.findall(row)} == served


def test_the_paths_that_need_no_token_are_listed_and_no_other() -> None:
    app = create_app(cast("Ports", None), ready=cast("Any", None))
    needs = [
        (
            str(route.path).split("/")[1],
            bool(_calls(getattr(route, "dependant", None)) & {authenticate, signed_in}),
        )
        for route in iter_route_contexts(app.routes)
    ]
    free, locked = ({place for place, needed in needs if needed is wanted} for wanted in (False, True))
    (sentence,) = re.findall(r"Only these need none: (.*?)\n\n", read(DOCS / "rest.md"), re.DOTALL)
    assert set(re.findall(r"`/([a-z.-]+)(?:/\.\.\.)?`", sentence)) == free
    assert locked == {"v1", "", "pages"}


def _calls(dependant: Dependant | None) -> set[object]:
    """Everything that is called before a route's own function, and that."""
    if dependant is None:
        return set()
    return {dependant.call}.union(*(_calls(part) for part in dependant.dependencies))


def test_no_document_names_a_route_that_does_not_exist() -> None:
    documented = set(ROUTE.findall(read(DOCS / "rest.md")))
    for document in DOCUMENTS:
        assert set(ROUTE.findall(read(document))) <= documented, relative(document)


# ------------------------------------------------------------------------------------------- commands


def commands(group: Any, path: str = "tocsin") -> Iterator[tuple[str, Any]]:
    """Every command that can be given, with the words that lead to it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(commands(typer.main.get_command(cli)))


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one."""
    match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert match is not None, f"no heading {heading!r}"
    return match[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_with_its_options_and_arguments(command: str) -> None:
    said = section(read(DOCS / "cli.md"), f"`{command}`")
    for parameter in COMMANDS[command].params:
        names = parameter.opts if parameter.param_type_name == "option" else [parameter.name]
        for name in names:
            assert f"`{name}`" in said, name


def test_the_command_s_own_options_are_documented() -> None:
    said = read(DOCS / "cli.md")
    for parameter in typer.main.get_command(cli).params:
        assert any(f"`{name}`" in said or f"`tocsin {name}`" in said for name in parameter.opts), parameter.name


def test_no_command_is_documented_that_does_not_exist() -> None:
    assert set(re.findall(r"^#+ `(.+)`$", read(DOCS / "cli.md"), re.MULTILINE)) == set(COMMANDS)


WITHOUT_JSON = {
    "tocsin up": "runs until it is stopped",
    "tocsin api": "runs until it is stopped",
    "tocsin worker": "runs until it is stopped",
    "tocsin simulate": "runs until it is stopped",
    "tocsin mcp": "speaks a protocol of its own",
    "tocsin schema": "writes JSON anyway",
}


def test_every_command_that_has_a_result_writes_it_as_json() -> None:
    has_json = {name for name, command in COMMANDS.items() if any("--json" in one.opts for one in command.params)}
    assert has_json | WITHOUT_JSON.keys() == COMMANDS.keys()
    assert not has_json & WITHOUT_JSON.keys()


# --------------------------------------------------------------------------------- channels, budgets, simulator

CHANNELS = (SlackBot, SlackWebhook, Email, Console, PagerDuty, Jsm, Webhook, Alertmanager, Teams, Discord)
"""In the order of the table's columns."""


def test_the_table_of_channels_says_which_moves_each_is_told() -> None:
    assert set(CHANNELS) == set(KINDS_OF_CHANNEL.values())
    rows = {row[0].strip("`"): row[1:] for row in cells(read(DOCS / "channels.md"))}
    for action in Action:
        told = [cell != "-" for cell in rows[action.value]]
        assert told == [action in channel.traits.actions for channel in CHANNELS], action


def test_every_field_and_period_of_budgets_is_documented() -> None:
    text = read(DOCS / "budgets.md")
    names = {"source" if name == "source_id" else name for name in Budget.__dataclass_fields__}
    for word in [*names, *PeriodKind]:
        assert f"`{word}`" in text, word


def test_every_field_kind_parameter_and_gate_of_rules_is_documented() -> None:
    text = read(DOCS / "rules.md")
    names = {"source" if name == "source_id" else name for name in Rule.__dataclass_fields__}
    params = {field.name for kind in KINDS.values() for field in fields(kind.params)}  # type: ignore[arg-type]
    for word in [*names, *params, *Gates.__dataclass_fields__, *KINDS, *FeedbackKind]:
        assert f"`{word}`" in text, word


def test_every_fault_endpoint_and_scenario_of_the_simulator_is_documented() -> None:
    text = read(DOCS / "simulator.md")
    for word in (*Fault, *ENDPOINTS, *SCENARIOS):
        assert f"`{word}`" in text, word


# ------------------------------------------------------------------------------------------- links and names


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in LINK.findall(FENCE.sub("", read(document))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_every_file_that_is_named_exists(document: Path) -> None:
    for name in CODE_PATH.findall(read(document)):
        assert (ROOT / name).exists(), name


def test_every_decision_is_listed() -> None:
    pages = {page.name for page in (DOCS / "adr").glob("[0-9]*.md")}
    assert set(LINK.findall(read(DOCS / "adr" / "README.md"))) == pages


def test_the_architecture_is_a_short_read_about_modules_that_exist() -> None:
    text = read(ARCHITECTURE)
    assert len(text.splitlines()) <= MOST_LINES
    assert CODE_PATH.findall(text)


def test_the_searches_find_what_they_look_for() -> None:
    assert LINK.findall("see [one](docs/a.md#b) and [two](https://example.com)") == [
        "docs/a.md#b",
        "https://example.com",
    ]
    assert CODE_PATH.findall("`service/no_such.py` and `service/domain/`") == ["service/no_such.py", "service/domain/"]
    assert ROUTE.findall("`GET /v1/budgets/{id}`, `GET /v1/alerts?a=b`") == [
        ("GET", "/v1/budgets/{id}"),
        ("GET", "/v1/alerts"),
    ]
    assert list(cells("| a | `b` |\n|---|---|\n| c | |")) == [["a", "`b`"], ["c", ""]]
