"""The series a benchmark runs on: read, scaled to dollars, put into classes and halves."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from service.domain.detectors.arrays import Floats
from service.domain.detectors.noise import CALM_NOISE, IDLE_SHARE, Noise, idle_share, week_on_week_noise

CALM_HOURLY = 0.25


@dataclass(frozen=True, eq=False)
class Series:
    """One series in dollars a bucket. `tune`: constants may be chosen on it; else it only measures."""

    name: str
    first: datetime
    values: Floats
    noise: Noise
    tune: bool


def read(path: Path, mean: float, period: int) -> list[Series]:
    """Columns series, date, y; every series is scaled to `mean` dollars a bucket. `period`: buckets in a week."""
    rows: dict[str, list[tuple[datetime, float]]] = {}
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["series"], []).append((datetime.fromisoformat(row["date"]), float(row["y"] or "nan")))
    found = []
    for place, name in enumerate(sorted(rows)):  # a group's members share a prefix: halves alternate inside it
        dates, amounts = zip(*sorted(rows[name]), strict=True)
        values = np.nan_to_num(np.array(amounts))
        values *= mean / values.mean()
        found.append(Series(name, dates[0], values, whole_class(values, period), place % 2 == 0))
    return found


def whole_class(values: Floats, period: int) -> Noise:
    """The class of the entire series, as the tables group it; the detector itself only sees the past."""
    if idle_share(values[None])[0] > IDLE_SHARE:
        return Noise.INTERMITTENT
    calm = CALM_NOISE if period == 7 else CALM_HOURLY
    return Noise.STEADY if week_on_week_noise(values[None], period)[0] < calm else Noise.VOLATILE


def stacked(rows: list[Floats]) -> Floats:
    """Series of several lengths on one calendar that ends today: NaN before the beginning of the shorter ones."""
    length = max(len(row) for row in rows)
    return np.array([np.concatenate([np.full(length - len(row), np.nan), row]) for row in rows])
