"""What `plan`, `apply` and `export` show, against a server on this machine."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from service.bootstrap.errors import SettingError, StartError
from service.cli.remote.config_file import read_config
from service.cli.remote.planning import PlanForm, apply, apply_as_json, export, export_as_json, plan, schema
from service.cli.remote.server import server_at
from service.client import Server, ServerError
from tests.cli.remote.rest import Answering, answering, screen

CHANGES = [
    {
        "kind": "budgets",
        "name": "eng monthly",
        "action": "change",
        "fields": [
            {"pointer": "/amount", "before": "100.00", "after": "200.00"},
            {"pointer": "/labels", "before": {"team": "eng"}, "after": None},
        ],
    },
    {
        "kind": "rules",
        "name": "jumps",
        "action": "create",
        "fields": [{"pointer": "/kind", "before": None, "after": "change"}],
    },
    {"kind": "rules", "name": "[red]odd", "action": "keep", "fields": []},
]


@pytest.fixture
def rest() -> Iterator[Answering]:
    exported = {"budgets": [{"name": "größte ${x}", "amount": "5000.00"}]}
    with answering({"GET /config": exported, "PUT /config": {"applied": True, "changes": CHANGES}}) as server:
        yield server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "tocsin.yaml"
    file.write_text('budgets: [{name: eng monthly, amount: "200.00"}]\n', encoding="utf-8")
    return file


def test_a_plan_shows_each_difference_and_applies_nothing(rest: Answering, path: Path) -> None:
    out, text = screen()
    assert plan(Server(rest.url, "tcn_FAKE"), path, "keep", out) == 3
    assert text.getvalue().splitlines() == [
        "~ budgets eng monthly",
        "    amount: 100.00 -> 200.00",
        '    labels: {"team": "eng"} -> as usual',
        "+ rules jumps",
        "    kind: change",
        "? rules [red]odd",
        "    stored, and not in the file: left as it is; --prune deletes it",
        "1 to create, 1 to change, 1 to keep.",
    ]
    body = {"budgets": [{"name": "eng monthly", "amount": "200.00"}]}
    assert rest.asked == [("PUT /config?dry_run=true&unlisted=keep", "Bearer tcn_FAKE", body)]


def test_what_is_deleted_is_shown_with_what_goes_and_becomes_nothing(rest: Answering, path: Path) -> None:
    fields = [{"pointer": "/amount", "before": "100.00", "after": None}]
    gone = {"kind": "budgets", "name": "eng monthly", "action": "delete", "fields": fields}
    rest.answers["PUT /config"] = {"applied": False, "changes": [gone]}
    out, text = screen()
    plan(Server(rest.url, "tcn_FAKE"), path, "delete", out)
    assert text.getvalue().splitlines() == ["- budgets eng monthly", "    amount: 100.00", "1 to delete."]


def test_a_plan_as_json_has_the_changes_and_the_same_exit_code(rest: Answering, path: Path) -> None:
    out, text = screen()
    assert plan(Server(rest.url, "tcn_FAKE"), path, "keep", out, PlanForm.JSON) == 3
    assert [one["action"] for one in json.loads(text.getvalue())["changes"]] == ["change", "create", "keep"]
    rest.answers["PUT /config"] = {"applied": False, "changes": []}
    assert plan(Server(rest.url, "tcn_FAKE"), path, "keep", screen()[0], PlanForm.JSON) == 0


def test_nothing_to_do_is_said_and_not_sent(rest: Answering, path: Path) -> None:
    rest.answers["PUT /config"] = {"applied": False, "changes": []}
    out, text = screen()
    assert plan(Server(rest.url, "tcn_FAKE"), path, "keep", out) == 0
    assert apply(Server(rest.url, "tcn_FAKE"), path, "keep", out, sure=True) == 0
    assert text.getvalue() == "Nothing differs.\n" * 2
    assert [query for query, _, _ in rest.asked] == ["PUT /config?dry_run=true&unlisted=keep"] * 2


def test_apply_rehearses_and_then_applies(rest: Answering, path: Path) -> None:
    out, text = screen()
    assert apply(Server(rest.url, "tcn_FAKE"), path, "delete", out, sure=True) == 0
    assert text.getvalue().endswith("Applied: 1 to create, 1 to change.\n")
    assert [query for query, _, _ in rest.asked] == [
        "PUT /config?dry_run=true&unlisted=delete",
        "PUT /config?dry_run=false&unlisted=delete",
    ]


@pytest.mark.parametrize(("answer", "sent"), [("n\n", 1), ("y\n", 2)])
def test_apply_asks_first(rest: Answering, path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, sent: int) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert apply(Server(rest.url, "tcn_FAKE"), path, "keep", screen()[0], sure=False) == (1 if sent == 1 else 0)
    assert len(rest.asked) == sent


@pytest.mark.parametrize(("answer", "applied"), [("n\n", False), ("y\n", True)])
def test_apply_as_json_asks_on_standard_error(
    rest: Answering,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    applied: bool,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    code = apply_as_json(Server(rest.url, "tcn_FAKE"), path, "keep", Console(), sure=False)
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert (document["applied"], code) == (applied, 0 if applied else 1)
    assert [one["action"] for one in document["changes"]] == ["change", "create"]
    assert "~ budgets eng monthly" in shown.err
    assert "Apply this?" in shown.err


def test_an_export_as_json_is_read_again_as_it_was(rest: Answering, tmp_path: Path) -> None:
    out, text = screen()
    export_as_json(Server(rest.url, "tcn_FAKE"), out)
    file = tmp_path / "tocsin.json"
    file.write_text(text.getvalue(), encoding="utf-8")
    assert read_config(file, {}).document == rest.answers["GET /config"]


def test_a_mistake_that_the_server_finds_is_named_with_its_line(rest: Answering, path: Path) -> None:
    wrong = {"pointer": "/budgets/0/amount", "detail": "must not be negative", "in": "body"}
    rest.status, rest.answers["PUT /config"] = 422, {"detail": "no", "errors": [wrong]}
    with pytest.raises(StartError) as refused:
        plan(Server(rest.url, "tcn_FAKE"), path, "keep", screen()[0])
    assert str(refused.value) == f"{path}:1:39: must not be negative"
    rest.answers["PUT /config"] = {"errors": [{"pointer": "/budgets/0/period/kind", "detail": "required"}]}
    with pytest.raises(StartError) as refused:
        plan(Server(rest.url, "tcn_FAKE"), path, "keep", screen()[0])
    assert str(refused.value) == f"{path}:1:11: period/kind: required"


def test_a_server_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(ServerError, match=r"127\.0\.0\.1:1"):
        plan(Server("http://127.0.0.1:1", "tcn_FAKE"), path, "keep", screen()[0])


def test_an_export_is_yaml_that_may_be_read_again(rest: Answering) -> None:
    out, text = screen()
    export(Server(rest.url, "tcn_FAKE"), out)
    assert yaml.safe_load(text.getvalue()) == {"budgets": [{"name": "größte $${x}", "amount": "5000.00"}]}
    assert "größte" in text.getvalue()


def test_the_schema_names_every_kind_and_refuses_others() -> None:
    out, text = screen()
    schema(out)
    written = json.loads(text.getvalue())
    assert written["additionalProperties"] is False
    assert {"sources", "receivers", "routes", "budgets", "rules", "digests"} <= written["properties"].keys()


def test_a_token_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOCSIN_TOKEN", raising=False)
    with pytest.raises(SettingError, match="TOCSIN_TOKEN"):
        server_at("http://127.0.0.1:8400")


def test_a_token_with_a_line_break_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_TOKEN", "tcn_FAKE\n")
    with answering({"GET /sources": {}}) as rest:
        server_at(rest.url).ask("GET", "/sources")
    assert rest.asked[0][1] == "Bearer tcn_FAKE"
    monkeypatch.setenv("TOCSIN_TOKEN", "tcn_FAKE\ntcn_FAKE")
    with pytest.raises(SettingError) as refused:
        server_at("http://127.0.0.1:8400")
    assert "FAKE" not in str(refused.value)
