"""How often a rule would fire for nothing, as it reports itself."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field

from service.domain.backtest.calibration import PROMISED, PROMISED_CRITICAL, CalibratedSetting, Calibration


class CalibratedSettingOut(BaseModel):
    """The rule's last quarter, or what is known of it, at one setting."""

    setting: str = Field(examples=["sensitivity normal"])
    configured: bool
    alerts: int
    confirmed: int = Field(description="alerts that a person acknowledged or answered as fixed")
    false_a_quarter: float = Field(description="the others, in 91 days: at most so many are false")
    critical_a_quarter: float = Field(description="those of them that became critical")
    keeps: bool = Field(description="whether both are within what is promised")


class CalibrationOut(BaseModel):
    """How often a rule would fire for nothing, by its own past. Made each week; nothing is changed by it."""

    rule_version: int = Field(description="the version of the rule that was replayed")
    made_at: datetime
    first_day: date
    last_day: date
    promised_a_quarter: float
    promised_critical_a_quarter: float
    settings: list[CalibratedSettingOut]
    proposal: str | None = Field(
        description="a stricter setting, where the rule's own gives more than is promised", examples=["sensitivity low"]
    )


def show_calibration(made: Calibration) -> CalibrationOut:
    proposal = made.proposal
    return CalibrationOut(
        rule_version=made.rule_version,
        made_at=made.made_at,
        first_day=made.first_day,
        last_day=made.last_day,
        promised_a_quarter=PROMISED,
        promised_critical_a_quarter=PROMISED_CRITICAL,
        settings=[_show(made, one) for one in made.settings],
        proposal=proposal.setting if proposal else None,
    )


def _show(made: Calibration, one: CalibratedSetting) -> CalibratedSettingOut:
    return CalibratedSettingOut(
        setting=one.setting,
        configured=one.configured,
        alerts=one.alerts,
        confirmed=one.confirmed,
        false_a_quarter=made.false_a_quarter(one),
        critical_a_quarter=made.critical_a_quarter(one),
        keeps=made.keeps(one),
    )
