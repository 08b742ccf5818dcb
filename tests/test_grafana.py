"""The dashboard of deploy/ is one that Grafana and Prometheus can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

DASHBOARD = json.loads((Path(__file__).parents[1] / "deploy/grafana-dashboard.json").read_text())


def lost(written: Any, read: Any, path: str = "") -> list[str]:
    """Where what was written does not come back from Grafana's own types."""
    if isinstance(written, dict) and isinstance(read, dict):
        return [place for key, value in written.items() for place in lost(value, read.get(key), f"{path}/{key}")]
    if isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        pairs = enumerate(zip(written, read, strict=True))
        return [place for number, (one, other) in pairs for place in lost(one, other, f"{path}/{number}")]
    return [] if written == read else [path]


def taken(document: Any) -> Any:
    register_default_plugins()
    return json.loads(json.dumps(Dashboard.from_json(document), cls=JSONEncoder))


def test_grafana_s_own_types_know_every_field_of_the_dashboard() -> None:
    assert lost(DASHBOARD, taken(DASHBOARD)) == []


def test_a_misspelt_field_would_be_found() -> None:
    misspelt = json.loads(json.dumps(DASHBOARD).replace('"fieldConfig"', '"fieldconfig"'))
    assert "/panels/0/fieldconfig" in lost(misspelt, taken(misspelt))
