"""Stores of rules, besides their configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from service.domain.backtest.backtest import Backtest
from service.domain.backtest.calibration import Calibration
from service.domain.rules.feedback import GivenFeedback
from service.domain.rules.memory import Episode, EpisodeKey, KeptVerdict
from service.domain.values.resources import Page
from service.domain.values.scopes import ScopeKey


class Episodes(Protocol):
    """The memory of scopes that a rule objects to; calm ones have no entry."""

    async def of(self, rule_ids: Iterable[str]) -> dict[EpisodeKey, Episode]: ...

    async def replace(self, before: Mapping[EpisodeKey, Episode], after: Mapping[EpisodeKey, Episode]) -> None:
        """Stores what differs, and forgets what `after` lacks."""
        ...

    async def forget_orphans(self) -> None:
        """Retention: drops those of rules that are gone."""
        ...


class Verdicts(Protocol):
    """Every objection of a rule, one entry a (rule, scope, day, outcome)."""

    async def keep(self, verdicts: Sequence[KeptVerdict]) -> None:
        """Adds them; one that is there already is brought up to date, but for its `first_at`."""
        ...

    async def seen(self, rule_id: str, since: datetime, until: datetime) -> list[KeptVerdict]:
        """Those seen in a stretch of time, both ends included: `first_at` <= until and `last_at` >= since."""
        ...

    async def forget(self, before: date) -> None:
        """Retention: drops those of earlier days."""
        ...


class FeedbackStore(Protocol):
    async def add(self, given: GivenFeedback) -> None: ...

    async def of_rules(self, rule_ids: Iterable[str]) -> list[GivenFeedback]:
        """Withdrawn ones too: the past may be asked about."""
        ...

    async def of_alert(self, alert_id: str) -> list[GivenFeedback]:
        """In the order in which they were given."""
        ...

    async def get(self, feedback_id: str) -> GivenFeedback:
        """Raises NotFound."""
        ...

    async def withdraw(self, feedback_id: str, by: str, at: datetime) -> None:
        """Raises NotFound, and Conflict where it was withdrawn already."""
        ...

    async def page(self, source_ids: Sequence[str], *, limit: int, cursor: str | None) -> Page[GivenFeedback]:
        """Newest first; of all sources where none is named."""
        ...


@dataclass(frozen=True, slots=True)
class RuleFailure:
    """A series that a rule's detector could not judge for a defect: how often, and what it said last."""

    rule_id: str
    scope: ScopeKey
    count: int
    last_at: datetime
    error: str


class RuleFailures(Protocol):
    async def note(
        self, rule_id: str, scope: ScopeKey, error: str, at: datetime, *, judged_before: datetime | None = None
    ) -> None:
        """Counts a failure; it began now unless it was met `judged_before`, when the rules were last judged, too."""
        ...

    async def all(self) -> list[RuleFailure]: ...


@dataclass(frozen=True, slots=True)
class CalibrationTurn:
    """The version of a rule that was calibrated last, or is being, and when it is due again."""

    rule_version: int
    due_at: datetime


class Calibrations(Protocol):
    """The outcomes of holding rules against their own past."""

    async def turns(self) -> dict[str, CalibrationTurn]:
        """Returns the turn of each rule that has ever had one."""
        ...

    async def take(self, rule_id: str, seen: CalibrationTurn | None, turn: CalibrationTurn) -> bool:
        """Stores a turn where the stored one is `seen`, and returns whether it was: one worker alone has it."""
        ...

    async def save(self, rule_id: str, calibration: Calibration, due_at: datetime) -> None: ...

    async def of(self, rule_ids: Iterable[str]) -> dict[str, Calibration]:
        """The last one of each rule that has any."""
        ...

    async def forget_orphans(self) -> None:
        """Retention: drops those of rules that are gone."""
        ...


class Backtests(Protocol):
    async def add(self, backtest: Backtest) -> None: ...

    async def get(self, backtest_id: str) -> Backtest:
        """Raises NotFound."""
        ...

    async def save(self, backtest: Backtest) -> bool:
        """Stores its state; progress never goes back. One that is over or was dropped meanwhile stays so: False."""
        ...

    async def note_progress(self, backtest_id: str, progress: float) -> bool:
        """How much of it is done, 0..1, unless more was noted before. False: it is over, or was dropped."""
        ...

    async def page(self, *, limit: int, cursor: str | None) -> Page[Backtest]:
        """Newest first."""
        ...

    async def before(self, backtest: Backtest) -> Sequence[Backtest]:
        """Those that a worker takes first, the first one first: older ones that are not over."""
        ...

    async def keep_newest(self, count: int) -> None:
        """Drops all but the newest."""
        ...

    async def begins(self, source_id: str) -> date | None:
        """The oldest UTC day of a source of which anything is known."""
        ...
