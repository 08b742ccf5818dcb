"""`/tocsin` in Slack: open alerts, budgets at risk, top contributors. The answer is for the person alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from service.domain.alerts.alert import Alert
from service.domain.budgets.budget import Budget, finest_of
from service.domain.budgets.known import Known
from service.domain.budgets.statuses import ScopeStatus
from service.domain.forecasts.forecast import Forecast
from service.domain.messages.message import describe
from service.domain.notify.page_links import ALERT_PAGES
from service.domain.notify.routing.doubts import doubts
from service.domain.notify.routing.silences import Silence, validate_silence
from service.domain.slack.hand_on import HAND_ON_HELP, read_hand_on_command
from service.domain.slack.requests import SlackRole, Typed, escaped
from service.domain.slack.silence_command import read_silence_command
from service.domain.sources.source import Source, SourceKind
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.errors import DomainError, Invalid
from service.domain.values.money import ZERO
from service.domain.values.names import name_of
from service.domain.values.periods import Phase, Window
from service.domain.values.plain_text import NOTE_LENGTH, clean, minute, percentage
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, Scope
from service.workflows.access.refusals import SLACK_REFUSED
from service.workflows.alerts.hand_on import hand_alert_on
from service.workflows.budgets.defects import FailedScopes, shown_windows, windows_by_budget
from service.workflows.budgets.forecasts import forecast_each
from service.workflows.budgets.statuses import status_of
from service.workflows.configuration.engine import Author, Draft, create, record
from service.workflows.configuration.notify import Silences, slack_user
from service.workflows.notify.known_labels import known_labels
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.slack.people import author_of
from service.workflows.sources.naming import names_of

SILENCE, HAND_ON = "silence", "hand-on"
MOST_LINES = 10
AT_RISK = Decimal(80)
"""Percent of a budget from which it is listed."""
TOP_CONTRIBUTORS = 3
PARTS = {Dimension.WORKSPACE: "Workspaces", Dimension.MODEL: "Models", Dimension.API_KEY: "API keys"}
SILENCE_HELP = (
    '`/tocsin silence 2h workspace=eng severity=~"info|warning" planned load test`: none of these alerts notifies'
    " anybody for so long; `/tocsin silence 2h all moving house`: no alert does (operators)"
)
HELP = (
    "`/tocsin status`: open alerts, and budgets from 80 % or heading over their amount\n"
    "`/tocsin top`, `/tocsin top month`: what costs most, today or this month (UTC)\n"
    f"{HAND_ON_HELP}\n"
    f"{SILENCE_HELP}"
)


async def run_slack_command(ports: Ports, typed: Typed, default_role: SlackRole) -> str:
    """Returns the answer in Slack's mrkdwn."""
    try:
        return await _run_answer(ports, typed, default_role)
    except DomainError as error:
        return escaped(str(error))


async def _run_answer(ports: Ports, typed: Typed, default_role: SlackRole) -> str:
    author, words = author_of(typed.person, ports.clock()), typed.text.split()
    async with ports.uow() as uow:
        user = await slack_user(uow, typed.person, default_role)
        change = CHANGES.get("".join(words[:1]))
        needed = change.needs if change else SlackRole.VIEWER
        if not user.role.allows(needed):
            await record(uow, author, SLACK_REFUSED, "command", f"{clean(typed.text)!r}: the role is {user.role}")
            return f"This needs the role {needed} in Tocsin, and yours is {user.role}. An admin can change that."
        if change:
            return await change.carry_out(uow, typed, author)
        match [word.lower() for word in words[:2]]:
            case ["status"]:
                return await _status(uow, ports.public_url, author.at)
            case ["top"] | ["top", "today"]:
                return await _top(uow, "today", Window(_midnight(author.at), author.at))
            case ["top", "month"]:
                return await _top(uow, "this month", Window(_midnight(author.at).replace(day=1), author.at))
            case _:
                return HELP


# ------------------------------------------------------------------------------------------- status


async def _status(uow: UnitOfWork, public_url: str, now: datetime) -> str:
    sources = await uow.sources.readable()
    alerts = [alert for id in await uow.polling_states.all_ids() for alert in await uow.alerts.open(id)]
    alerts.sort(key=lambda alert: (-alert.severity.rank, alert.opened_at))
    risky = [line for source in sources for line in await _at_risk(uow, source, now)]
    return "\n".join(
        [
            *_listed("Open alerts", [_alert_line(alert, public_url) for alert in alerts], "No alert is open."),
            *_listed("Budgets at risk", risky, "No budget has reached 80 %, none is heading over its amount."),
        ]
    )


def _listed(title: str, lines: list[str], none: str) -> list[str]:
    if not lines:
        return [none]
    more = [f"… and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    return [f"*{title}: {len(lines)}*", *lines[:MOST_LINES], *more]


def _alert_line(alert: Alert, public_url: str) -> str:
    link = f"<{public_url}{ALERT_PAGES}/{alert.id}|{alert.severity}, {alert.state}>"
    return f"• {link}: {escaped(describe(alert))}"


async def _at_risk(uow: UnitOfWork, source: Resource[Source], now: datetime) -> list[str]:
    """A line for each scope of a budget that is close to its amount, or forecast to exceed it, the furthest first."""
    budgets = [one for one in await uow.budgets.readable() if one.spec.source_id == source.id and one.spec.enabled]
    found = [
        (max(_spent_percent(status), _forecast_percent(budget, status) or Decimal()), _budget_line(budget, status))
        for budget, status in await _open_statuses(uow, source, budgets, now)
        if _spent_percent(status) >= AT_RISK or _forecast_percent(budget, status) is not None
    ]
    return [line for _, line in sorted(found, key=lambda one: -one[0])]


async def _open_statuses(
    uow: UnitOfWork, source: Resource[Source], budgets: Sequence[Resource[Budget]], now: datetime
) -> list[tuple[Resource[Budget], ScopeStatus]]:
    """Lists every scope in its open period, with its forecast. The forecasts' history is read once for all.

    A budget that a defect keeps from being told is left out.
    """
    state = await uow.polling_states.get(source.id)
    known = Known(
        crossings=await uow.crossings.of([budget.id for budget in budgets]),
        open_alerts=(),
        names=await names_of(uow, state),
        now=now,
        read_at=state.cost_read_at,
        simulated=source.spec.kind is SourceKind.SIMULATOR,
        locality=source.spec.locality,
    )
    failed = FailedScopes()
    windows = windows_by_budget(budgets, known, failed, shown_windows)
    budgets, asked = [one for one in budgets if one.id in windows], frozenset[Window]().union(*windows.values())
    grain = finest_of(budgets)
    cells = {window: await uow.facts.spend(source.id, window, now, grain) for window in asked}
    recent = await uow.facts.recent(source.id, now, grain)
    known = replace(known, forecasts=forecast_each(budgets, cells, recent, known, failed))
    return [
        (budget, status)
        for budget in budgets
        for status in status_of(budget, cells, known, failed)
        if status.phase is Phase.OPEN
    ]


def _spent_percent(status: ScopeStatus) -> Decimal:
    """The percentage of the amount that is spent; infinite for any spend of a budget of $0."""
    if status.percent is not None:
        return status.percent
    return Decimal("Infinity") if status.spent.total > ZERO else Decimal()


def _forecast_percent(budget: Resource[Budget], status: ScopeStatus) -> Decimal | None:
    """The percentage of the amount at the period's end by the forecast, where that exceeds it."""
    amount, forecast = budget.spec.amount, status.forecast
    if not amount or not isinstance(forecast, Forecast) or forecast.mid <= amount:
        return None
    return forecast.mid.ratio_to(amount) * 100


def _budget_line(budget: Resource[Budget], status: ScopeStatus) -> str:
    said = (
        f"{clean(budget.name)} ({clean(status.scope_name)}): {status.spent.total.display()} of"
        f" {budget.spec.amount.display()}{'' if status.percent is None else f', {percentage(status.percent)}'}"
    )
    if (
        isinstance(status.forecast, Forecast)
        and _forecast_percent(budget, status) is not None
        and _spent_percent(status) <= 100
    ):
        said += f"; forecast {status.forecast.mid.display()}"
    return f"• {escaped(said)}"


# ------------------------------------------------------------------------------------------- top


async def _top(uow: UnitOfWork, when: str, window: Window) -> str:
    lines: list[str] = []
    for source in await uow.sources.readable():
        lines += await _top_of(uow, source, when, window)
    return "\n".join(lines) or "There is no source."


async def _top_of(uow: UnitOfWork, source: Resource[Source], when: str, window: Window) -> list[str]:
    whole_days = Window(window.start, _midnight(window.end) + timedelta(days=1))
    lines: list[str] = []
    for dimension, title in PARTS.items():
        question = SpendQuestion(source.id, whole_days, Width.DAY, Scope(), dimension)
        largest = await uow.facts.largest(question, TOP_CONTRIBUTORS)
        if not lines:
            simulated = " (simulated)" if source.spec.kind is SourceKind.SIMULATOR else ""
            lines.append(f"*{escaped(clean(source.name))}{simulated}: {largest.total.spend.total.display()} {when}*")
        names = await uow.directory.names(source.id, [key for key, _ in largest.groups])
        named = [f"{clean(name_of(key, names))} {figure.spend.total.display()}" for key, figure in largest.groups]
        lines.append(f"{title}: {escaped(', '.join(named)) or 'none'}")
    return lines


# ------------------------------------------------------------------------------------------- silence


async def _silence(uow: UnitOfWork, typed: Typed, author: Author) -> str:
    """Silences what the matchers match. Raises Invalid and Conflict."""
    try:
        asked = read_silence_command("".join(typed.text.split(maxsplit=1)[1:]))
        ends_at = author.at + asked.length
        comment = clean(asked.comment, NOTE_LENGTH)
        spec = Silence(asked.matchers, author.at, ends_at, comment, author.actor, author_name=author.name)
        validate_silence(spec)
    except Invalid as error:
        return f"Nothing was silenced: {escaped(str(error))}.\n{SILENCE_HELP}"
    name = f"Slack, {clean(typed.person.name) or typed.person.user}, {author.at:%Y-%m-%d %H:%M:%S}"
    await create(uow, Silences(), Draft(name, {}, spec), author)
    found = doubts(asked.matchers, await known_labels(uow))
    doubt = f"\n:warning: {escaped(clean('; '.join(found), NOTE_LENGTH))}." if found else ""
    return (
        f"{escaped(clean(asked.what, NOTE_LENGTH))}: silent until {minute(ends_at)}."
        f" Silences are listed at `/v1/silences`; to end one early, expire it.{doubt}"
    )


# ------------------------------------------------------------------------------------------- hand-on


async def _hand_on(uow: UnitOfWork, typed: Typed, author: Author) -> str:
    """Hands an alert on. Raises NotFound, Invalid and Conflict."""
    try:
        asked = read_hand_on_command("".join(typed.text.split(maxsplit=1)[1:]))
    except Invalid as error:
        return f"Nothing was changed: {escaped(str(error))}.\n{HAND_ON_HELP}"
    event = await hand_alert_on(uow, asked.alert_id, asked.to, typed.person.note, author)
    return f"Handed on to {escaped(clean(event.alert.holder))}."


# ------------------------------------------------------------------------------------------- all that change something


class ChangingCommand(NamedTuple):
    needs: SlackRole
    carry_out: Callable[[UnitOfWork, Typed, Author], Awaitable[str]]


CHANGES = {
    SILENCE: ChangingCommand(SlackRole.OPERATOR, _silence),
    HAND_ON: ChangingCommand(SlackRole.RESPONDER, _hand_on),
}


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.date(), time(), now.tzinfo)
