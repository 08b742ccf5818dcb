"""A rule's evidence in an answer: the numbers that a person can check by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from pydantic import BaseModel, Field

from service.api.http.fields import Usd
from service.domain.alerts.evidence import LevelChange, RuleEvidence


class InputOut(BaseModel):
    label: str
    value: str


class LevelOut(BaseModel):
    scope_name: str
    since: date = Field(description="the first UTC day of the new level")
    before: Usd = Field(description="a day, before it")
    after: Usd = Field(description="a day, since")


class RuleEvidenceOut(BaseModel):
    """Evidence of a rule's alert when it last changed. Amounts are of the judged days, in `unit`."""

    rule_id: str
    rule: str
    kind: str = Field(examples=["anomaly"])
    actual: Usd
    expected: Usd
    excess: Usd = Field(description="in the direction that the rule objects to")
    unit: str = Field(examples=["US dollars a day"])
    cause: str = Field(description="one sentence")
    inputs: list[InputOut] = Field(description="what the sentence leans on")
    days: list[date] = Field(description="the UTC days that `actual` covers")
    since: datetime | None = Field(description="when the incident began; null where the kind does not say")
    impact: Usd | None = Field(description="its excess in all; null where the kind does not add it up")
    falls: bool = Field(description="too little was spent")
    hour: datetime | None = Field(description="the beginning of the judged hour; null where days were judged")
    severity_reason: str = Field(description="why it is as severe as it is; empty where nothing is to be said of it")
    strained_budget: str = Field(description="the budget that is used up first if it goes on; empty where none is")
    used_up_on: date | None = Field(description="that day, in the budget's zone")
    billed: Usd | None = Field(description="the settled bill, where it contradicts what the alert was fired on")
    calm_since: datetime | None = Field(description="since when the scope is back to normal; null while it is not")
    closes_at: datetime | None = Field(description="when the alert ends if it stays so")
    level: LevelOut | None = Field(description="the new level with whose acceptance the alert ended; null otherwise")
    simulated: bool


def show_inputs(inputs: Iterable[tuple[str, str]]) -> list[InputOut]:
    return [InputOut(label=label, value=value) for label, value in inputs]


def show_rule_evidence(evidence: RuleEvidence) -> RuleEvidenceOut:
    return RuleEvidenceOut(
        rule_id=evidence.rule_id,
        rule=evidence.rule_name,
        kind=evidence.rule_kind,
        actual=str(evidence.actual),
        expected=str(evidence.expected),
        excess=str(evidence.excess),
        unit=evidence.unit,
        cause=evidence.cause,
        inputs=show_inputs(evidence.inputs),
        days=list(evidence.days),
        since=evidence.since,
        impact=None if evidence.impact is None else str(evidence.impact),
        falls=evidence.falls,
        hour=evidence.hour,
        severity_reason=evidence.severity_reason,
        strained_budget=evidence.strained_budget,
        used_up_on=evidence.used_up_on,
        billed=None if evidence.billed is None else str(evidence.billed),
        calm_since=evidence.calm_since,
        closes_at=evidence.closes_at,
        level=None if evidence.level is None else _show_level(evidence.level),
        simulated=evidence.simulated,
    )


def _show_level(level: LevelChange) -> LevelOut:
    before, after = str(level.before), str(level.after)
    return LevelOut(scope_name=level.scope_name, since=level.since, before=before, after=after)
