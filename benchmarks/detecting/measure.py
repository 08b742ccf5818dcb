"""False alerts a series-year, and the share of injected incidents found."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from detecting.incidents import BEFORE, KINDS, Kind, Trial
from detecting.scored import FLOOR, Method, Scored
from detecting.series import Series, stacked
from service.domain.detectors.arrays import Flags, Floats
from service.domain.detectors.noise import Noise

CLASSES = (Noise.STEADY, Noise.VOLATILE, Noise.INTERMITTENT)
TOGETHER = 3
"""Days between alerts of one episode."""
DAYS_A_YEAR = 365.25
GRID = np.geomspace(0.6, 60, 100)
"""Times its own line: what is tried when a method is tuned."""
NEVER = 1e9
"""The line of a method that is too loud at every other one."""


@dataclass(frozen=True)
class Share:
    found: int
    tried: int

    @property
    def percent(self) -> float:
        return 100 * self.found / self.tried if self.tried else float("nan")


@dataclass(frozen=True)
class Result:
    """lines: the score asked for by class. false: alerts a series-year by class and half. found: by class and kind."""

    method: str
    lines: dict[Noise, float]
    false: dict[tuple[Noise | None, bool], float]
    found: dict[tuple[Noise, str, bool], Share]
    microseconds: float


def justified(values: Floats) -> Flags:
    """Days that hindsight calls real: double their weekday's usual, $25 above it, among the 3 largest of 113 days."""
    days = np.zeros(len(values), dtype=bool)
    for day, value in enumerate(values):
        weekdays = [values[d] for d in range(day - 28, day + 29, 7) if d != day and 0 <= d < len(values)]
        usual = float(np.median(weekdays)) if weekdays else value
        around = values[max(0, day - 56) : day + 57]
        days[day] = value >= 2 * usual and value - usual >= FLOOR and np.count_nonzero(around > value) < 3
    return days


def false_episodes(alerts: Flags, real: Flags, together: int = TOGETHER) -> int:
    """Episodes without a justified bucket in them or shortly before. Alerts this near are one episode."""
    count, days = 0, np.flatnonzero(alerts)
    groups = np.split(days, np.flatnonzero(np.diff(days) > together) + 1) if days.size else []
    for group in groups:
        count += not real[max(0, group[0] - together) : group[-1] + 1].any()
    return count


class Field:
    """The series and the trials on which methods are measured."""

    def __init__(self, series: list[Series], trials: list[Trial]) -> None:
        self.series = [one for one in series if len(one.values) > BEFORE]
        self.trials = trials
        self.amounts = stacked([one.values for one in self.series])
        self.starts = [self.amounts.shape[1] - len(one.values) + BEFORE for one in self.series]
        self.real = [justified(one.values) for one in self.series]
        self.names = [one.name for one in series]
        self.all = series

    def run(self, method: Method) -> Result:
        begun = time.perf_counter()
        whole = method.judge(self.amounts, BEFORE)
        took = time.perf_counter() - begun
        cells = self.amounts.shape[0] * (self.amounts.shape[1] - (0 if method.judge.__name__ == "ours" else BEFORE))
        lines = self.tuned_lines(whole, method.lines) if method.tuned else method.lines
        return Result(
            method.name, lines, self.false_rates(whole, lines), self.recall(method, lines), 1e6 * took / cells
        )

    def years(self, one: Series) -> float:
        return (len(one.values) - BEFORE) / DAYS_A_YEAR

    def false_alerts(self, whole: Scored, lines: dict[Noise, float]) -> list[int]:
        asked = np.array([lines[one.noise] for one in self.series])
        alerts = whole.alerts(self.amounts[:, BEFORE:], asked)
        counts = []
        for row, start in enumerate(self.starts):
            flags = np.concatenate([np.zeros(BEFORE, dtype=bool), alerts[row, start - BEFORE :]])
            counts.append(false_episodes(flags, self.real[row]))
        return counts

    def false_rates(self, whole: Scored, lines: dict[Noise, float]) -> dict[tuple[Noise | None, bool], float]:
        counts = self.false_alerts(whole, lines)
        rates = {}
        for noise in (*CLASSES, None):
            for tune in (True, False):
                rows = [i for i, s in enumerate(self.series) if noise in (None, s.noise) and s.tune is tune]
                years = sum(self.years(self.series[i]) for i in rows)
                rates[noise, tune] = sum(counts[i] for i in rows) / years if years else float("nan")
        return rates

    def tuned_lines(self, whole: Scored, lines: dict[Noise, float]) -> dict[Noise, float]:
        """By class, the least line with at most 1 false alert a series-year on the tune half."""
        tuned = {}
        for noise in CLASSES:
            grid = (lines[noise] * float(factor) for factor in GRID)
            quiet = (k for k in grid if not self.false_rates(whole, dict.fromkeys(CLASSES, k))[noise, True] > 1.0)
            tuned[noise] = next(quiet, NEVER)
        return tuned

    def recall(self, method: Method, lines: dict[Noise, float]) -> dict[tuple[Noise, str, bool], Share]:
        shares = {}
        for kind in KINDS:
            chosen = [trial for trial in self.trials if trial.kind is kind]
            hit, valid = self._outcomes(method, lines, kind, chosen)
            for noise in CLASSES:
                for tune in (True, False):
                    mine = np.array(
                        [self.all[t.series].noise is noise and self.all[t.series].tune is tune for t in chosen]
                    )
                    shares[noise, kind.name, tune] = Share(int((hit & valid & mine).sum()), int((valid & mine).sum()))
        return shares

    def _outcomes(
        self, method: Method, lines: dict[Noise, float], kind: Kind, chosen: list[Trial]
    ) -> tuple[Flags, Flags]:
        """Found, and counted: a trial is dropped when the method already alerts there without the incident."""
        asked = np.array([lines[self.all[trial.series].noise] for trial in chosen])
        days = slice(kind.seen[0], kind.seen[1])
        outcomes = []
        for windows in (np.array([t.spoilt for t in chosen]), np.array([t.clean for t in chosen])):
            alerts = method.judge(windows, BEFORE).alerts(windows[:, BEFORE:], asked)
            outcomes.append(np.asarray(alerts[:, days].any(axis=1)))
        return outcomes[0], np.logical_not(outcomes[1])
