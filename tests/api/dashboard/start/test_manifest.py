from __future__ import annotations

from pathlib import Path

import yaml

from service.api.dashboard.start.manifest import manifest_for

DOCUMENTED = Path(__file__).parents[4] / "docs" / "slack-manifest.yaml"


def test_the_documented_manifest_is_the_one_that_is_shown() -> None:
    assert manifest_for("https://tocsin.example.com") == DOCUMENTED.read_text()


def test_it_leads_to_this_installation() -> None:
    made = yaml.safe_load(manifest_for("https://alarm.example.org"))
    assert made["settings"]["interactivity"]["request_url"] == "https://alarm.example.org/slack/interactions"


def test_where_slack_cannot_call_the_app_listens() -> None:
    made = yaml.safe_load(manifest_for("http://127.0.0.1:8400"))
    assert made["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in made["settings"]["interactivity"]
    assert all("url" not in command for command in made["features"]["slash_commands"])
