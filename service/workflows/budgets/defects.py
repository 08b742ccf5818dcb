"""The guard of budgets: what a defect keeps from being assessed is noted, and everything else goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog

from service.domain.budgets.budget import Budget
from service.domain.budgets.known import Known, contested_windows, live_windows
from service.domain.budgets.places import BudgetScope
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.workflows.ports.outages import RecurringDefects
from service.workflows.sources.defects import bounded

log = structlog.get_logger(__name__)

MOST_LOGGED = 5
"""Tracebacks of one evaluation: the others are stored as one line each."""
_MET = RecurringDefects()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BudgetDefect:
    """A fault in our own code, or in what is stored, met while a budget was computed."""

    error: Exception

    @property
    def words(self) -> str:
        return bounded(f"{type(self.error).__name__}: {self.error}")


def attempt(make: Callable[[], T]) -> T | BudgetDefect:
    """Returns what is made, or the defect, whatever it is. `make` is pure: no half-written state can hide here."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - whoever asks logs and stores it
        return BudgetDefect(error)


class FailedScopes:
    """The scopes of budgets that could not be assessed, each with what the defect said.

    `unreadable` are budgets of which not even the stored text can be read, by id.
    """

    def __init__(self, unreadable: Mapping[str, str] | None = None) -> None:
        self.met: dict[BudgetScope, str] = {BudgetScope(id): error for id, error in (unreadable or {}).items()}
        self._logged = 0

    def note(self, place: BudgetScope, defect: BudgetDefect) -> None:
        self.met[place] = defect.words
        self.log(place.budget_id, defect, scope=str(place.scope))

    def log(self, budget_id: str, defect: BudgetDefect, scope: str = "all") -> None:
        if self._logged < MOST_LOGGED and _MET.is_worth_a_line(budget_id, scope, defect.words):
            log.error("budget_failed", budget_id=budget_id, scope=scope, exc_info=defect.error)
            self._logged += 1

    def holds(self, place: BudgetScope) -> bool:
        return place.is_among(self.met)


Asking = Callable[[Resource[Budget], Known], frozenset[Window]]


def windows_by_budget(
    budgets: Iterable[Resource[Budget]], known: Known, failed: FailedScopes, asked_by: Asking
) -> dict[str, frozenset[Window]]:
    """The windows asked of each budget. One whose periods cannot be told is left out: it has failed."""
    found: dict[str, frozenset[Window]] = {}
    for budget in budgets:
        windows = attempt(partial(asked_by, budget, known))
        if isinstance(windows, BudgetDefect):
            failed.note(BudgetScope(budget.id), windows)
        else:
            found[budget.id] = windows
    return found


def shown_windows(budget: Resource[Budget], known: Known) -> frozenset[Window]:
    """The windows that a status needs."""
    return live_windows([budget], known)


def judged_windows(budget: Resource[Budget], known: Known) -> frozenset[Window]:
    """The windows that an assessment needs."""
    return live_windows([budget], known) | contested_windows([budget], known)
