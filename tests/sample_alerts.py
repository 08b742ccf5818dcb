"""Alerts and their events for the tests of messages and channels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.evidence import (
    BudgetEvidence,
    Contribution,
    DrillEvidence,
    Evidence,
    ForecastEvidence,
    IncompleteEvidence,
    RuleEvidence,
    SilenceEndsEvidence,
    StaleEvidence,
    UndeliveredEvidence,
    UnpricedEvidence,
)
from service.domain.forecasts.forecast import ForecastMethod
from service.domain.messages.message import compose
from service.domain.notify.notification import Action, Delivery, Message
from service.domain.spend.best_known import Basis
from service.domain.spend.flaws import FlawKind
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension, ScopeKey
from service.domain.values.severity import Severity

PUBLIC_URL = "https://tocsin.example.com"
OPENED = datetime(2026, 10, 14, 9, 31, 5, tzinfo=UTC)
OCTOBER = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))

EVIDENCE = BudgetEvidence(
    budget_id="bdg_1",
    budget_name="eng monthly",
    scope_name="workspace Research",
    amount=Money.of("10.00"),
    spent=Money.of("12.345678"),
    basis=Basis.BILLED,
    threshold="actual:100%",
    level=Money.of("10.00"),
    period=OCTOBER,
    period_label="October 2026",
    timezone="UTC",
    contributions=(
        Contribution(ScopeKey(Dimension.MODEL, "claude-opus-4-5"), "claude-opus-4-5", Money.of("9.10")),
        Contribution(ScopeKey(Dimension.API_KEY, "apikey_1"), "ci-runner", Money.of("3.245678")),
    ),
)
FORECAST = ForecastEvidence(
    low=Money.of("1112.40"),
    mid=Money.of("1238.77"),
    high=Money.of("1389.90"),
    method=ForecastMethod.WEEKDAY_LEVEL,
    history_days=41,
    exhausted_at=datetime(2026, 10, 24, 15, 30, tzinfo=UTC),
)
AHEAD = replace(
    EVIDENCE,
    amount=Money.of("1000.00"),
    spent=Money.of("412.507"),
    threshold="forecast:100%",
    level=Money.of("1000.00"),
    forecast=FORECAST,
)
STALE = StaleEvidence(
    source_name="acme",
    failures=5,
    failing_since=OPENED - timedelta(minutes=30),
    last_success_at=OPENED - timedelta(minutes=35),
    error="401: the key was revoked",
)
UNDELIVERED = UndeliveredEvidence(
    receiver_id="rcv_1",
    receiver_name="eng-oncall",
    channel="slack_bot:1f2e3d4c5b6a",
    channel_error="Slack: channel_not_found",
    count=3,
    place="#spend",
    undelivered_since=OPENED - timedelta(hours=1),
)
SILENCE_ENDS = SilenceEndsEvidence(
    silence_id="sil_1",
    silence_name="load test",
    author="token:ann",
    ends_at=OPENED + timedelta(hours=1),
    behind=("eng monthly: $412 of $500",),
    count=3,
)
UNPRICED = UnpricedEvidence(source_name="acme", model="claude-next", tokens=5_012_000, last_day=date(2026, 10, 13))
DRILL = DrillEvidence(source_name="acme", given=(("team", "eng"),))
INCOMPLETE = IncompleteEvidence(
    source_name="acme",
    flaw=FlawKind.EMPTY_BILL,
    days=(date(2026, 10, 12),),
    since=datetime(2026, 10, 14, 0, 2, tzinfo=UTC),
)
RULE = RuleEvidence(
    rule_id="rul_1",
    rule_name="unusual spend",
    rule_kind="anomaly",
    scope_name="workspace eng",
    actual=Money.of("1240.00"),
    expected=Money.of("310.00"),
    unit="US dollars a day",
    cause=(
        "Workspace eng spent $1,240.00 on 13 October 2026; $310.00 was expected, "
        "and up to $505.00 would have been usual."
    ),
    inputs=(("the last four Tuesdays", "$310.00, $295.00, $330.00, $305.00"), ("usual up to", "$505.00")),
    days=(date(2026, 10, 13),),
    since=datetime(2026, 10, 12, tzinfo=UTC),
    impact=Money.of("1700.00"),
    contributions=(
        Contribution(ScopeKey(Dimension.MODEL, "claude-opus-4-5"), "claude-opus-4-5", Money.of("700.00")),
        Contribution(ScopeKey(Dimension.API_KEY, "apikey_1"), "ci", Money.of("650.00")),
        Contribution(ScopeKey(Dimension.API_KEY, "apikey_2"), "batch", Money.of("120.25")),
    ),
)
DROP = replace(
    RULE,
    actual=Money.of("77.50"),
    cause="Workspace eng spent $77.50 on 13 October 2026; $310.00 was expected.",
    inputs=(("the last four Tuesdays", "$310.00, $295.00, $330.00, $305.00"),),
    since=datetime(2026, 10, 13, tzinfo=UTC),
    impact=Money.of("232.50"),
    contributions=(Contribution(ScopeKey(Dimension.API_KEY, "apikey_1"), "ci", Money.of("230.00")),),
    falls=True,
)
HOSTILE_NAMES = (
    "<!channel> <@U0FAKE> <https://evil.example|click> & @here *bold* _it_ `code`",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "reversed \u202etxet and מחקר",
    "x\r\nBcc: everybody@example.com\x1b[2J",
    "[bold red]eng[/] [link=https://evil.example]x[/link] :bomb:",
    "{0} {who} {{ 7 * 7 }} %s",
    "x" * 10_000,
)
ALERT = Alert(
    id="alrt_019a0e3b7c800123456789abcdef01234567",
    version=1,
    fingerprint="budget:bdg_1:actual:workspace:wrkspc_1:2026-10-01",
    kind="budget",
    source_id="src_1",
    scope=ScopeKey(Dimension.WORKSPACE, "wrkspc_1"),
    severity=Severity.CRITICAL,
    state=AlertState.FIRING,
    opened_at=OPENED,
    changed_at=OPENED,
    evidence=EVIDENCE,
)
STALE_ALERT = replace(ALERT, kind="stale_source", scope=ScopeKey(), severity=Severity.ERROR, evidence=STALE)
RULE_ALERT = replace(
    ALERT,
    fingerprint="rule:rul_1:workspace:wrkspc_1",
    kind="rule",
    severity=Severity.WARNING,
    evidence=RULE,
)


def hostile(name: str) -> RuleEvidence:
    """A rule's evidence in which everything that people outside can name has this name."""
    parts = [ScopeKey(dimension, "1") for dimension in Dimension if dimension is not Dimension.ORGANISATION]
    return replace(
        RULE,
        rule_name=name,
        scope_name=f"workspace {name}",
        inputs=((name, name),) * 3,
        contributions=tuple(Contribution(key, name, Money.of("700.00")) for key in parts for _ in range(10)),
    )


def event(
    command: Command = Command.OPEN,
    reason: Reason = Reason.FIRST,
    *,
    alert: Alert = ALERT,
    evidence: Evidence | None = None,
    actor: str = "tocsin",
    note: str = "",
) -> AlertEvent:
    """One move of an alert, which gets the state that the command leads to."""
    states = {
        Command.ACKNOWLEDGE: AlertState.ACKNOWLEDGED,
        Command.SNOOZE: AlertState.SNOOZED,
        Command.RESOLVE: AlertState.RESOLVED,
    }
    alert = replace(
        alert,
        state=states.get(command, AlertState.FIRING),
        evidence=evidence or alert.evidence,
        acknowledged_by=actor if command is Command.ACKNOWLEDGE else None,
        resolved_by=actor if command is Command.RESOLVE else None,
    )
    return AlertEvent(alert, at=OPENED, command=command, actor=actor, reason=reason, note=note)


OPENED_EVENT = event()
RAISED_EVENT = event(Command.RAISE, Reason.RAISED)
RESTATED_EVENT = event(Command.AMEND, Reason.RESTATED, evidence=replace(EVIDENCE, spent=Money.of("9.80")))
ACKNOWLEDGED_EVENT = event(Command.ACKNOWLEDGE, Reason.PERSON, actor="Ada")
SNOOZED_EVENT = event(Command.SNOOZE, Reason.PERSON, actor="Ada")
RESOLVED_EVENT = event(Command.RESOLVE, Reason.PERSON, actor="Ada")


def message(of: AlertEvent = OPENED_EVENT, action: Action = Action.OPEN) -> Message:
    return compose(of, action, PUBLIC_URL)


def delivery(action: Action = Action.OPEN, *, post: str | None = None, said: Message | None = None) -> Delivery:
    """A message on its way, the one that usually goes with the action."""
    events = {
        Action.OPEN: OPENED_EVENT,
        Action.RAISE: RAISED_EVENT,
        Action.AMEND: RESTATED_EVENT,
        Action.ACKNOWLEDGE: ACKNOWLEDGED_EVENT,
        Action.SNOOZE: SNOOZED_EVENT,
        Action.RESOLVE: RESOLVED_EVENT,
    }
    return Delivery(
        id=f"ntf_019a0e3b7c80_{action}",
        action=action,
        message=said or message(events[action], action),
        post=post,
        at=OPENED,
    )
