"""Outages of what is outside this process, in few lines: one when it begins, seldom while it lasts, one at its end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

DATABASE = "database"
RARER = 8
"""A lasting outage gets a line at its 8th, 64th, 512th ... failure: minutes apart first, then hours."""
CALM = 10
"""How many successes in a row end an outage of something that is used all the time: it may work now and then."""


class StorageUnavailable(Exception):
    """The database cannot be reached, or not just now. Nothing of the unit of work was kept."""


class StorageBusy(StorageUnavailable):
    """The database is well: all connections that this process may have are in use. Whoever waits gets one."""


class StorageRefuses(StorageUnavailable):
    """The database is there and takes nothing: its disk is full, for example. The text says what to do."""


@dataclass(slots=True)
class _Outage:
    failures: int = 0
    successes: int = 0


class Outages:
    """Every outage of one process, by the outside system. What reports the same system shares one."""

    def __init__(self) -> None:
        self._lasting: dict[str, _Outage] = {}

    def failed(self, system: str, reason: str) -> None:
        """Notes a failure. `reason` may hold no secret."""
        outage = self._lasting.setdefault(system, _Outage())
        outage.failures += 1
        outage.successes = 0
        line = " ".join(reason.split())
        if outage.failures == 1:
            log.warning("outage_begins", system=system, reason=line)
        elif is_worth_a_line(outage.failures):
            log.warning("outage_lasts", system=system, reason=line, failures=outage.failures)

    def worked(self, system: str, *, calm: int = 1) -> None:
        """Notes a success; `calm` of them in a row end an outage."""
        outage = self._lasting.get(system)
        if outage is None:
            return
        outage.successes += 1
        if outage.successes >= calm:
            del self._lasting[system]
            log.warning("outage_ends", system=system, failures=outage.failures)


MOST_REMEMBERED = 10_000
"""Defects of a process that are told apart."""


class RecurringDefects:
    """Defects that come back at every tick, evaluation or scrape of one process: logged as seldom as an outage."""

    def __init__(self) -> None:
        self._met: Counter[tuple[str, ...]] = Counter()

    def is_worth_a_line(self, *defect: str) -> bool:
        """Notes a defect: whose it is, and its words. Other words are another defect."""
        if len(self._met) >= MOST_REMEMBERED:
            self._met.clear()
        self._met[defect] += 1
        return is_worth_a_line(self._met[defect])


def is_worth_a_line(failures: int) -> bool:
    """Whether a number of failures in a row is a power of `RARER`."""
    while failures % RARER == 0:
        failures //= RARER
    return failures == 1
