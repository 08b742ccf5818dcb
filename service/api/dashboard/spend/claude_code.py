"""`/pages/claude-code`: who does what with Claude Code, and what that is estimated to cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from service.api.dashboard.figures import ShownMoney, day_bars, dollars
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.paging import AskedPart, AskedPartDep
from service.api.dashboard.session import SignedInDep
from service.api.dashboard.spend.breakdown import Days
from service.api.dashboard.spend.frame import AREAS, CLAUDE_CODE, PLACE, Filter, chosen_source, without_source
from service.api.http.deps import NowDep, UowDep
from service.api.http.listing import part_by_place
from service.api.spend.claude_code import KEYED, CodeGroupBy, group_name, ordered
from service.domain.access import Role
from service.domain.sources.source import People, Source
from service.domain.spend.best_known import Spend
from service.domain.spend.claude_code import MARK, ClaudeCodeDay, CodeActivity, by_day, grouped
from service.domain.spend.questions import Figure
from service.domain.values.periods import Window
from service.domain.values.plain_text import percentage, scaled, short_day
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, ScopeKey
from service.domain.values.utc import DAY, day_start
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

PAGE = 50
BY_COST = ("Those with more", "Those with less")
WORDS: Mapping[CodeGroupBy, str] = {
    CodeGroupBy.ACTOR: "Person",
    CodeGroupBy.DAY: "Day",
    CodeGroupBy.MODEL: "Model",
    CodeGroupBy.TERMINAL: "Terminal",
}


@dataclass(frozen=True, slots=True)
class ClaudeCodeAddress:
    """The page's address: of which source, how far back, and by what."""

    source: Filter = None
    days: Days = Days.MONTH
    by: CodeGroupBy = CodeGroupBy.ACTOR

    def address(self, **changed: str) -> str:
        query = {"source": self.source or "", "days": str(int(self.days)), "by": self.by.value, **changed}
        return f"{CLAUDE_CODE}?{urlencode({key: value for key, value in query.items() if value})}"


@router.head(CLAUDE_CODE)  # probes ask so
@router.get(CLAUDE_CODE)
async def show_claude_code(
    caller: SignedInDep, uow: UowDep, now: NowDep, part: AskedPartDep, asked: Annotated[ClaudeCodeAddress, Depends()]
) -> Response:
    chosen = await chosen_source(uow, asked.source)
    if chosen is None:
        return without_source(caller)
    source = chosen.source
    tomorrow = day_start(now) + DAY
    window = Window(tomorrow - DAY * int(asked.days), tomorrow)
    days = await uow.claude_code.days(source.id, window)
    content = {
        "areas": AREAS,
        "area": CLAUDE_CODE,
        "mark": MARK,
        "source": source.name,
        "sources": chosen.links(CLAUDE_CODE),
        "simulated": chosen.is_simulated,
        "ranges": [(f"{int(one)} days", asked.address(days=str(int(one))), one is asked.days) for one in Days],
        "groupings": [
            (f"By {words.lower()}", asked.address(by=by.value), by is asked.by) for by, words in WORDS.items()
        ],
        "noun": WORDS[asked.by],
        "by_model": asked.by is CodeGroupBy.MODEL,
        "state": _state(source.spec, days),
        "nobody_known": source.spec.people is People.OFF,
        "change": f"/pages/sources/{source.id}/edit" if caller.role.allows(Role.ADMIN) else "",
        **await _use(uow, source, days, asked, part),
        "first_day": short_day(window.start.date()),
        "bars": day_bars(_by_day(days, window)),
    }
    return dashboard_page("claude_code.html.j2", PLACE, caller, content)


def _state(source: Source, days: Sequence[ClaudeCodeDay]) -> str:
    """Returns why there is nothing to show; empty where there is something."""
    if any(day.records for day in days):
        return ""
    if not source.claude_code:
        return "This organisation's report of Claude Code is not read."
    if not days:
        return "Nothing has been read of these days yet: the report is read once an hour, and eight older days with it."
    return "Nobody used Claude Code in these days."


async def _use(
    uow: UnitOfWork,
    source: Resource[Source],
    days: Sequence[ClaudeCodeDay],
    asked: ClaudeCodeAddress,
    part: AskedPart,
) -> Mapping[str, object]:
    total = sum(grouped(days, by_day).values(), CodeActivity())
    groups = ordered(grouped(days, KEYED[asked.by]), asked.by)
    shown = part_by_place(f"Claude Code by {asked.by} on a page", groups, PAGE, part.cursor)
    names = await uow.directory.names(source.id, [ScopeKey(Dimension.ACTOR, id) for id, _ in shown.items])
    return {
        "total": _activity(total),
        "each": _each(total),
        "lines": [_activity(one) | {"name": group_name(id, asked.by, names)} for id, one in shown.items],
        "part": part.links(CLAUDE_CODE, shown, BY_COST),
        "highest": max((one.cost for one in grouped(days, by_day).values()), default=total.cost).display(),
    }


def _activity(one: CodeActivity) -> dict[str, object]:
    proposed = one.accepted + one.rejected
    return {
        "people": len(one.people),
        "sessions": f"{one.sessions:,}",
        "added": f"{one.lines_added:,}",
        "removed": f"{one.lines_removed:,}",
        "pull_requests": f"{one.pull_requests:,}",
        "taken": percentage(Decimal(one.accepted) * 100 / proposed) if proposed else "",
        "input": scaled(one.input_tokens + one.cache_read_tokens + one.cache_write_tokens),
        "output": scaled(one.output_tokens),
        "cost": dollars(one.cost),
    }


def _each(total: CodeActivity) -> Sequence[tuple[str, ShownMoney]]:
    """Returns the estimate for each person and pull request, as far as there are some."""
    found = (("a person", total.cost_per_person), ("a pull request", total.cost_per_pull_request))
    return [(words, dollars(amount)) for words, amount in found if amount is not None]


def _by_day(days: Sequence[ClaudeCodeDay], window: Window) -> list[tuple[datetime, Figure]]:
    cost = {id: one.cost for id, one in grouped(days, by_day).items()}
    starts = [window.start + DAY * number for number in range((window.end - window.start) // DAY)]
    return [
        (day, Figure(Spend(estimated=cost[key]) if (key := f"{day:%Y-%m-%d}") in cost else Spend())) for day in starts
    ]
