"""Repeated filters: any of the values, or refused; never the last one alone."""

from __future__ import annotations

from typing import Any

from service.domain.values.scopes import Cell
from tests.api.alerts.test_alerts import rung
from tests.api.stand import ENG, SOURCE, Stand, answered, pointers

RESEARCH = Cell("wrkspc_research", "claude-opus-4-5", "apikey_lab")


async def test_every_query_parameter_may_be_repeated_or_says_that_it_may_not(
    stand: Stand, described: dict[str, Any]
) -> None:
    walked: dict[bool, int] = {True: 0, False: 0}
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for one in operation.get("parameters", []):
                if one["in"] != "query":
                    continue
                is_list = one["schema"].get("type") == "array"
                walked[is_list] += 1
                target = f"{path.replace('{', '').replace('}', '')}?{one['name']}=x&{one['name']}=y"
                answer = await stand.admin.request(method, target)
                found = answer.json().get("errors", []) if answer.status_code == 422 else []
                refused = [error for error in found if error["detail"] == "give it once: it takes one value"]
                assert bool(refused) is not is_list, (method, target, answer.text)
                assert {error["pointer"] for error in refused} <= {f"/{one['name']}"}
    assert walked[True] > 10
    assert walked[False] > 40


async def test_two_workspaces_are_the_spend_of_both(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "10.00")
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        await uow.directory.note_cells(source.id, [RESEARCH], stand.clock())
    one = answered(await stand.viewer.get("/v1/spend?workspace=wrkspc_eng"))["total"]["amount"]
    both = answered(await stand.viewer.get("/v1/spend?workspace=wrkspc_eng&workspace=wrkspc_research"))
    other = answered(await stand.viewer.get("/v1/spend?workspace=wrkspc_research"))["total"]["amount"]
    assert (one, both["total"]["amount"], other) == ("10.00", "10.00", "0.00")


async def test_alerts_of_any_of_the_states_are_listed(stand: Stand) -> None:
    alert = await rung(stand)
    for query, ids in {
        "state=firing&state=resolved": [alert["id"]],
        "state=resolved&state=firing": [alert["id"]],
        "state=resolved&state=acknowledged": [],
        "budget=gone&budget=eng%20monthly": [alert["id"]],
    }.items():
        listed = answered(await stand.viewer.get(f"/v1/alerts?{query}"))["items"]
        assert [one["id"] for one in listed] == ids, query


async def test_a_repeated_source_that_takes_one_is_refused_with_its_name(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    for path in ("spend?source=a&source=b", "spend/breakdown?since=2026-11-01&since=2026-11-02&source=a&source=b"):
        assert "/source" in pointers(await stand.viewer.get(f"/v1/{path}")), path
