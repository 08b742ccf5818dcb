"""Reading people's use of Claude Code beside the directory: the newest days, and what lacks of the last month."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.sources.poll import Notice
from service.domain.sources.source import Source
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.utc import DAY, day_start
from service.workflows.ports.sources import CostSource, ReadClaudeCode, ReadsClaudeCode, SourceError
from service.workflows.ports.spend import Stamp
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

NEWEST_DAYS, OLDEST_DAYS = 2, 31
"""Days that are read each time, as they still fill up; and how far back the others reach."""
MOST_OLDER = 8
"""Older days that are read at once: each is a request."""


@dataclass(frozen=True, slots=True)
class ReadDays:
    """The days that could be read, and what kept the others from it."""

    days: tuple[ReadClaudeCode, ...] = ()
    notices: tuple[Notice, ...] = ()

    async def write(self, uow: UnitOfWork, stamp: Stamp) -> None:
        for read in self.days:
            await uow.claude_code.replace(stamp.source_id, read.day, stamp.known_at)
            await uow.directory.note_named(stamp.source_id, read.named, stamp.known_at)


async def run_read_claude_code(ports: Ports, source: Resource[Source], reader: CostSource) -> ReadDays:
    """Nothing where the source does not ask for it. What cannot be read is a notice: no bill waits for it."""
    if not source.spec.claude_code or not isinstance(reader, ReadsClaudeCode):
        return ReadDays()
    today = day_start(ports.clock())
    async with ports.uow() as uow:
        stored = await uow.claude_code.days(source.id, Window(today - OLDEST_DAYS * DAY, today + DAY))
    known = {one.day for one in stored}
    back = [today.date() - number * DAY for number in range(OLDEST_DAYS + 1)]
    wanted = [*back[: NEWEST_DAYS + 1], *[day for day in back[NEWEST_DAYS + 1 :] if day not in known][:MOST_OLDER]]
    read: list[ReadClaudeCode] = []
    for day in wanted:
        try:
            read.append(await reader.claude_code(day))
        except SourceError as error:
            return ReadDays(tuple(read), (Notice(f"Claude Code was not read of {day}: {error}", 1),))
    return ReadDays(tuple(read))
