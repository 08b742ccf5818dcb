"""The answer of a detector: one column a series, and the method that judged it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from service.domain.detectors.arrays import Flags, Floats, Whole


class Method(IntEnum):
    """Which rule judged a series. Up to TOO_YOUNG none did, and nothing is expected."""

    NOT_BEGUN = 0
    UNKNOWN_AMOUNT = 1
    NOT_AN_AMOUNT = 2
    CREDIT = 3
    TOO_MANY_GAPS = 4
    TOO_YOUNG = 5
    COLD_START = 6
    COLD_WEEKDAY = 7
    STEADY = 8
    VOLATILE = 9
    INTERMITTENT = 10

    @property
    def judges(self) -> bool:
        return self > Method.TOO_YOUNG

    @property
    def reason(self) -> str:
        """The method in words, of a day."""
        return _REASONS[self]

    @property
    def reason_of_hours(self) -> str:
        return _HOURLY.get(self, _REASONS[self])


_REASONS = {
    Method.NOT_BEGUN: "nothing has been spent yet",
    Method.UNKNOWN_AMOUNT: "the amount of this bucket is not known",
    Method.NOT_AN_AMOUNT: "the amount is infinite or past belief",
    Method.CREDIT: "the bucket was restated below zero",
    Method.TOO_MANY_GAPS: "more than half of the last 28 days is not known",
    Method.TOO_YOUNG: "fewer than 3 days with spend",
    Method.COLD_START: "compared with the mean and the largest day of a short history",
    Method.COLD_WEEKDAY: "compared with a short history and with the last four same weekdays",
    Method.STEADY: "a calm series, compared with the last four same weekdays",
    Method.VOLATILE: "an unsteady series, compared with the last four same weekdays",
    Method.INTERMITTENT: "a mostly idle series, compared with the mean of the last 28 days",
}
_HOURLY = {
    Method.TOO_YOUNG: "fewer than 14 days of hours",
    Method.STEADY: "a calm series, compared with the same hour of the last four weeks",
    Method.VOLATILE: "an unsteady series, compared with the same hour of the last four weeks",
}


class Maturity(StrEnum):
    """How much of a bucket is known. A PARTIAL one can only be too low, so that it may alert upwards alone."""

    PARTIAL = "partial"
    CLOSED = "closed"
    FINAL = "final"


class Sensitivity(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def factor(self) -> float:
        """The threshold of the score."""
        return {Sensitivity.LOW: 1.35, Sensitivity.NORMAL: 1.0, Sensitivity.HIGH: 0.8}[self]


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The limits from which an alert is worth it: each [series].

    thresholds: what the score has to reach (see `terms`). floors: dollars of excess under which nothing is said.
    """

    thresholds: Floats
    floors: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One bucket of every series; each [series], money in dollars, NaN where `methods` does not judge.

    expected and low..high hold the planned extra. high: where the score reaches its threshold; fires_from: the least
    amount that alerts, gate and override included. scores: 1 is the line at normal sensitivity.
    rises: alerts upwards, by its score or by `overrides`. falls: far below, on a final bucket of a steady series.
    """

    amounts: Floats
    expected: Floats
    low: Floats
    high: Floats
    fires_from: Floats
    scores: Floats
    methods: Whole
    overrides: Flags
    rises: Flags
    falls: Flags

    @property
    def excess(self) -> Floats:
        return self.amounts - self.expected

    def failed(self, row: int) -> str | None:
        """Why this series could not be judged; None when it was."""
        method = Method(int(self.methods[row]))
        return None if method.judges else method.reason
