"""Where all budgets stand: the fullest first, in parts that do not overlap."""

from __future__ import annotations

from tests.api.stand import BUDGET, ENG, SOURCE, Stand, answered


async def test_the_fullest_comes_first_and_parts_join(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    for name, amount in (("small", "50.00"), ("large", "5000.00"), ("none", "0.00")):
        await stand.create("/budgets", BUDGET | {"name": name, "amount": amount})
    await stand.create("/budgets", BUDGET | {"name": "off", "enabled": False})
    await stand.spend(ENG, "123.45")
    first = answered(await stand.viewer.get("/v1/budget-statuses?limit=2"))
    rest = answered(await stand.viewer.get(f"/v1/budget-statuses?limit=2&cursor={first['next']}"))
    found = [*first["items"], *rest["items"]]
    assert [(one["budget"], one["spent"], one["percent"]) for one in found] == [
        ("none", "123.45", None),
        ("small", "123.45", 246.9),
        ("large", "123.45", 2.46),
    ]
    assert (len(found), rest["next"]) == (3, None), "one that is disabled stands nowhere"
    assert found[1]["name"] == "the organisation"
    assert (found[1]["period_start"], found[1]["period_end"]) == ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
