"""People's use of Claude Code by day, as its own report tells it: the dollars are estimates, and billed already."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date

from service.domain.values.money import ZERO, Money

MARK = "estimated by Claude Code, not on the bill"
"""The words beside each of its dollars."""


@dataclass(frozen=True, slots=True)
class ModelUse:
    """Tokens of one model, and what they would cost at list prices."""

    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost: Money


@dataclass(frozen=True, slots=True)
class ToolUse:
    """How many of a tool's proposals were taken."""

    tool: str
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class ClaudeCodeRecord:
    """One person's day in one terminal. `actor` is "" where nobody may be known, and for a key that acts for itself.

    `customer`: whether the use is billed ("api") or part of a subscription.
    """

    actor: str
    customer: str
    terminal: str
    sessions: int
    lines_added: int
    lines_removed: int
    commits: int
    pull_requests: int
    tools: tuple[ToolUse, ...]
    models: tuple[ModelUse, ...]


@dataclass(frozen=True, slots=True)
class ClaudeCodeDay:
    day: date
    records: tuple[ClaudeCodeRecord, ...]


@dataclass(frozen=True, slots=True)
class CodeActivity:
    """The sum of some records. `people`: the actors among them; `cost` is estimated, and no spend beside the bill."""

    people: frozenset[str] = frozenset()
    sessions: int = 0
    lines_added: int = 0
    lines_removed: int = 0
    commits: int = 0
    pull_requests: int = 0
    accepted: int = 0
    rejected: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost: Money = ZERO

    def __add__(self, other: CodeActivity) -> CodeActivity:
        return CodeActivity(
            self.people | other.people,
            self.sessions + other.sessions,
            self.lines_added + other.lines_added,
            self.lines_removed + other.lines_removed,
            self.commits + other.commits,
            self.pull_requests + other.pull_requests,
            self.accepted + other.accepted,
            self.rejected + other.rejected,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.cost + other.cost,
        )

    @property
    def cost_per_pull_request(self) -> Money | None:
        """Estimated dollars for each pull request; None without any."""
        return _each(self.cost, self.pull_requests)

    @property
    def cost_per_person(self) -> Money | None:
        """Estimated dollars for each active person; None where nobody is known."""
        return _each(self.cost, len(self.people))


def _each(whole: Money, count: int) -> Money | None:
    return Money.rounded(whole.usd / count) if count else None


def activity_of(record: ClaudeCodeRecord) -> CodeActivity:
    used = sum((_of_model(record, one) for one in record.models), CodeActivity())
    return used + CodeActivity(
        people=frozenset({record.actor} - {""}),
        sessions=record.sessions,
        lines_added=record.lines_added,
        lines_removed=record.lines_removed,
        commits=record.commits,
        pull_requests=record.pull_requests,
        accepted=sum(tool.accepted for tool in record.tools),
        rejected=sum(tool.rejected for tool in record.tools),
    )


def _of_model(record: ClaudeCodeRecord, use: ModelUse) -> CodeActivity:
    return CodeActivity(
        people=frozenset({record.actor} - {""}),
        input_tokens=use.input_tokens,
        output_tokens=use.output_tokens,
        cache_read_tokens=use.cache_read_tokens,
        cache_write_tokens=use.cache_write_tokens,
        cost=use.cost,
    )


def of_actors(day: ClaudeCodeDay, actors: Collection[str]) -> ClaudeCodeDay:
    """The records of some actors; all of them where none is named."""
    if not actors:
        return day
    return replace(day, records=tuple(record for record in day.records if record.actor in actors))


Keyed = Iterable[tuple[str, CodeActivity]]


def by_day(day: ClaudeCodeDay) -> Keyed:
    return ((day.day.isoformat(), activity_of(record)) for record in day.records)


def by_actor(day: ClaudeCodeDay) -> Keyed:
    return ((record.actor, activity_of(record)) for record in day.records)


def by_terminal(day: ClaudeCodeDay) -> Keyed:
    return ((record.terminal, activity_of(record)) for record in day.records)


def by_model(day: ClaudeCodeDay) -> Keyed:
    """Tokens, cost and people alone: sessions and lines are not told by model."""
    return ((use.model, _of_model(record, use)) for record in day.records for use in record.models)


def grouped(days: Iterable[ClaudeCodeDay], keyed: Callable[[ClaudeCodeDay], Keyed]) -> dict[str, CodeActivity]:
    found: dict[str, CodeActivity] = {}
    for day in days:
        for key, activity in keyed(day):
            found[key] = found.get(key, CodeActivity()) + activity
    return found
