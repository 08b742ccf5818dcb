"""The common form of what benchmarks print, so that `all.py` can make one table of it.

A line is a Markdown table's row: what was done, our figure, its unit, the anchor's figure measured in the same run, and
the target. Whatever else a benchmark prints is for people.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from statistics import linear_regression, median

RUNS = 3
COLUMNS = ("row", "ours", "unit", "anchor", "target")


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. `anchor` and `target` are texts with their own names and units; empty where there is none."""

    row: str
    value: str
    unit: str
    anchor: str = ""
    target: str = ""

    def __str__(self) -> str:
        return f"| {self.row} | {self.value} | {self.unit} | {self.anchor} | {self.target} |"


def report(row: str, value: float | str, unit: str, *, anchor: str = "", target: str = "") -> None:
    """Prints a line at once, also into a pipe. A number is shown with three significant digits."""
    print(Line(row, value if isinstance(value, str) else shown(value), unit, anchor, target), flush=True)


def shown(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{2 - math.floor(math.log10(abs(value)))}f}"


def parsed(text: str) -> Line | None:
    """The line that `report` has printed; None for any other text."""
    cells = [cell.strip() for cell in text.strip().split("|")]
    if len(cells) != len(COLUMNS) + 2 or cells[0] or cells[-1] or set(cells[1]) <= set("-:"):
        return None
    return Line(*cells[1:-1])


async def median_of(work: Callable[[], Awaitable[float]], runs: int = RUNS) -> float:
    """The median of so many runs of what answers with its own figure."""
    return median([await work() for _ in range(runs)])


def exponent(figures: Mapping[int, float]) -> float:
    """The growth exponent of a cost by size: 1 is linear, 2 quadratic. The slope of the logarithms' regression line."""
    points = [(math.log(size), math.log(figure)) for size, figure in figures.items()]
    return linear_regression(*zip(*points, strict=True)).slope
