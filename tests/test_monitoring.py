"""What platform teams load elsewhere names metrics, routes and scopes that there are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, cast

import yaml
from fastapi.routing import iter_route_contexts

from service.adapters.channels.slack import transport
from service.api.app import create_app
from service.workflows.ports.unit_of_work import Ports

ROOT = Path(__file__).parents[1]
METRIC = re.compile(r"\btocsin_[a-z_]+\b")


def known_metrics() -> set[str]:
    """Those of the document; tests/api/operation compares it with what is served."""
    table = [line for line in (ROOT / "docs/operations.md").read_text().splitlines() if line.startswith("| `tocsin_")]
    return {name for line in table for name in METRIC.findall(line.split("|")[1])}


def alarms() -> list[dict[str, Any]]:
    document = yaml.safe_load((ROOT / "deploy/prometheus-rules.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())["panels"]
    return found


def test_alarms_ask_for_metrics_that_there_are() -> None:
    for rule in alarms():
        assert set(METRIC.findall(rule["expr"])) <= known_metrics(), rule["alert"]
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "description"}


def test_every_alarm_of_the_document_is_one_that_can_be_loaded() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    rows = text[text.index("| alarm | then |") :].partition("\n\n")[0].splitlines()
    named = {name for row in rows for name in METRIC.findall(row.split("|")[1])}
    loaded = {name for rule in alarms() for name in METRIC.findall(rule["expr"])}
    assert named <= loaded


def test_panels_show_metrics_that_there_are_and_do_not_lie_on_each_other() -> None:
    for panel in panels():
        for target in panel["targets"]:
            assert set(METRIC.findall(target["expr"])) <= known_metrics(), panel["title"]
    assert max(Counter(panel["id"] for panel in panels()).values()) == 1
    covered = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels())
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert max(Counter(covered).values()) == 1
    assert max(x for x, _ in covered) < 24, "a dashboard is 24 columns wide"


def test_the_workflow_is_one_by_github_s_own_schema() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([*check, ROOT / "deploy/github-actions.yml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_slack_app_has_the_scopes_and_addresses_that_the_product_uses() -> None:
    manifest = yaml.safe_load((ROOT / "docs/slack-manifest.yaml").read_text())
    scopes = set(manifest["oauth_config"]["scopes"]["bot"])
    asked = set(re.findall(r"\b[a-z]+:[a-z]+\b", transport.NOT_ALLOWED["missing_scope"]))
    assert asked == {"chat:write", "files:write"}
    assert asked | {"commands"} <= scopes
    app = create_app(cast("Ports", None), ready=cast("Any", None))
    served = {str(route.path) for route in iter_route_contexts(app.routes)}
    interactions = manifest["settings"]["interactivity"]["request_url"]
    commands = [command["url"] for command in manifest["features"]["slash_commands"]]
    assert {address.removeprefix("https://tocsin.example.com") for address in (interactions, *commands)} <= served
