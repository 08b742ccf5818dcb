"""Names of resources of every kind: none that people could take for another one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.stand import BUDGET, SOURCE, Stand, pointers, problem

CONSOLE = {"channels": [{"kind": "console"}]}
SILENCE = {"matchers": [{"label": "severity", "op": "=", "value": "info"}], "ends_at": "2026-11-20T00:00:00Z"}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("/receivers", CONSOLE),
    ("/silences", SILENCE),
    ("/budgets", BUDGET),
    ("/tokens", {"role": "viewer"}),
]


@pytest.mark.parametrize(("path", "document"), CASES)
async def test_a_name_with_unseen_characters_or_of_a_look_alike_is_refused(
    stand: Stand, path: str, document: dict[str, Any]
) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create(path, document | {"name": "ops"})
    for name in ("ops\u202e", "o\u200bps"):
        answer = await stand.admin.post(f"/v1{path}", json=document | {"name": name})
        assert pointers(answer) == ["/name"]
    refused = problem(await stand.admin.post(f"/v1{path}", json=document | {"name": "орs"}), 409)  # Cyrillic o, er
    assert "looks like 'ops'" in refused["detail"]


async def test_a_resource_is_not_renamed_to_a_look_alike(stand: Stand) -> None:
    await stand.create("/receivers", CONSOLE | {"name": "ops"})
    await stand.create("/receivers", CONSOLE | {"name": "other"})
    problem(await stand.admin.patch("/v1/receivers/other", json={"name": "орs"}), 409)
