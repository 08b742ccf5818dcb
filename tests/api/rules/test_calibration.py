from __future__ import annotations

from datetime import date

from service.domain.backtest.calibration import EVERY, CalibratedSetting, Calibration
from service.workflows.ports.rules import CalibrationTurn
from tests.api.stand import SOURCE, Stand, answered


async def test_a_rule_shows_what_it_would_fire_for_nothing_and_may_be_sent_back(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    rule = await stand.create("/rules", {"name": "unusual", "kind": "anomaly"})
    assert rule["calibration"] is None
    now = stand.clock()
    settings = tuple(
        CalibratedSetting(f"sensitivity {name}", name == "normal", alerts, 1, 2)
        for name, alerts in (("high", 30), ("normal", 12), ("low", 4))
    )
    made = Calibration(1, now, date(2026, 8, 10), date(2026, 11, 8), settings)
    async with stand.ports.uow() as uow:
        assert await uow.calibrations.take(rule["id"], None, CalibrationTurn(1, now))
        await uow.calibrations.save(rule["id"], made, now + EVERY)
    shown = answered(await stand.viewer.get(f"/v1/rules/{rule['id']}"))
    calibration = shown["calibration"]
    assert (calibration["promised_a_quarter"], calibration["promised_critical_a_quarter"]) == (6.5, 1.0)
    assert calibration["proposal"] == "sensitivity low"
    own = next(one for one in calibration["settings"] if one["configured"])
    assert (own["alerts"], own["confirmed"], own["false_a_quarter"], own["keeps"]) == (12, 1, 11.0, False)
    changed = answered(await stand.admin.patch(f"/v1/rules/{rule['id']}", json={"calibration": calibration}))
    assert changed["calibration"] == calibration
