"""A configuration file: what is read of it, and where a mistake is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.cli.remote.config_file import ConfigFileError, escaped, read_config
from service.client.errors import Json

BUDGETS = """\
budgets:
  - name: eng monthly
    amount: "5000.00"
  - name: other
    amount: -1
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "tocsin.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(folder: Path, text: str, **environment: str) -> str:
    with pytest.raises(ConfigFileError) as refused:
        read_config(written(folder, text), environment)
    return str(refused.value).removeprefix(f"{folder}/")


def test_each_value_has_a_place(tmp_path: Path) -> None:
    file = read_config(written(tmp_path, BUDGETS), {})
    assert file.document == {"budgets": [{"name": "eng monthly", "amount": "5000.00"}, {"name": "other", "amount": -1}]}
    assert file.place("/budgets/1/amount") == f"{tmp_path}/tocsin.yaml:5:13"
    assert file.place("/budgets/1/thresholds/0") == f"{tmp_path}/tocsin.yaml:4:5", "the innermost that is there"
    assert file.place("") == f"{tmp_path}/tocsin.yaml:1:1"


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-ant-admin01-FAKE\n", encoding="utf-8")
    text = 'sources: [{name: "${ORG}-x", admin_key: "${file:key}", note: "$${ORG} costs $5"}]'
    source = {"name": "main-x", "admin_key": "sk-ant-admin01-FAKE", "note": "${ORG} costs $5"}
    assert read_config(written(tmp_path, text), {"ORG": "main"}).document == {"sources": [source]}


def test_days_and_yes_are_what_json_has(tmp_path: Path) -> None:
    file = read_config(written(tmp_path, "a: 2026-11-01\nb: null\nc: 2026-11-01T00:00:00Z\nd: true\n"), {})
    assert file.document == {"a": "2026-11-01", "b": None, "c": "2026-11-01T00:00:00Z", "d": True}


def test_numbers_are_those_of_json(tmp_path: Path) -> None:
    text = "[10, -3, 0, 1.5, 1e3, 010, 10:30, 0x1F, 0o17, 1_000, .5, +1, 2026-11-01]"
    read = read_config(written(tmp_path, f"a: {text}\n"), {})
    assert read.document == {
        "a": [10, -3, 0, 1.5, 1000.0, "010", "10:30", "0x1F", "0o17", "1_000", ".5", "+1", "2026-11-01"]
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budgets:\n  - name: a\n   amount: 1\n", "tocsin.yaml:3:4: "),
        ("budgets: [\n", "tocsin.yaml:2:1: "),
        ("a: 1\nb: 2\na: 3\n", "tocsin.yaml:3:1: 'a' stands here twice"),
        ("- a\n", "tocsin.yaml:1:1: expected kinds of resources"),
        ("", "tocsin.yaml:1:1: expected kinds of resources"),
        ("a: {b: '${NOWHERE}'}\n", "tocsin.yaml:1:8: the variable NOWHERE is not set"),
        ("a: ${not a name}\n", "tocsin.yaml:1:4: ${not a name} is neither"),
        ("a: ${file:nowhere}\n", "tocsin.yaml:1:4: "),
        ("1: a\n", "tocsin.yaml:1:1: 1 is no name of a field"),
        ("a: !!binary aGVsbG8=\n", "tocsin.yaml:1:4: JSON has no such value"),
        ("a: !!python/object:os.system x\n", "tocsin.yaml:1:4: could not determine a constructor"),
        ("a: *nowhere\n", "tocsin.yaml:1:4: found undefined alias"),
        ("? [a]\n: 1\n", "tocsin.yaml:1:3: this is no name of a field"),
        ("a: !!float b\n", "tocsin.yaml:1:4: this is no float"),
        ("a: !!bool perhaps\n", "tocsin.yaml:1:4: this is no bool"),
        (f"a: {'9' * 5000}\n", "tocsin.yaml:1:4: this is no int"),
        ("a: !!float .nan\n", "tocsin.yaml:1:4: JSON has no such value"),
        ("a: {b/c: '${NOWHERE}'}\n", "tocsin.yaml:1:10: the variable NOWHERE is not set"),
        ("a: 1\n# \x01\n", "tocsin.yaml: the character 8 is none that YAML has"),
        (f"a: {'[' * 3000}{']' * 3000}\n", "tocsin.yaml: nested too deeply"),
        ("a: &a [*a]\n", "tocsin.yaml: nested too deeply"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_column(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text).startswith(said)


def test_a_few_lines_of_aliases_that_stand_for_billions_are_refused(tmp_path: Path) -> None:
    tens = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 11)]
    assert "values" in complaint(tmp_path, "\n".join(["a0: &a0 [x]", *tens]))


@pytest.mark.parametrize("text", ["${TEAM}", "$${TEAM}", "$$${TEAM}", "${a${b}", "${", "$$ {x} 5$"])
def test_what_looks_like_a_placeholder_is_read_back_as_it_was(tmp_path: Path, text: str) -> None:
    stored: Json = {"budgets": [{"name": text, "percents": [80]}]}
    assert read_config(written(tmp_path, json.dumps(escaped(stored))), {"TEAM": "eng"}).document == stored


def test_a_secret_is_not_told_in_a_complaint(tmp_path: Path) -> None:
    assert "FAKE" not in complaint(tmp_path, "a: '${KEY} ${NOWHERE}'\n", KEY="sk-ant-admin01-FAKE")


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigFileError, match=r"nowhere\.yaml"):
        read_config(tmp_path / "nowhere.yaml", {})
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigFileError, match=r"bytes\.yaml"):
        read_config(tmp_path / "bytes.yaml", {})
