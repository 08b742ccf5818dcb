"""The benchmark's answer as Markdown: tables, and the targets with met or missed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isnan

from detecting.hourly import TIMES, HourlyResult
from detecting.incidents import KINDS
from detecting.measure import CLASSES, Result
from service.domain.detectors.noise import Noise

KIND_NAMES = [kind.name for kind in KINDS]


def table(header: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def percent(value: float) -> str:
    return "-" if isnan(value) else f"{value:.0f}"


def daily_tables(results: list[Result]) -> Iterator[str]:
    for noise in CLASSES:
        if not any(share.tried for (of, _, _), share in results[0].found.items() if of is noise):
            continue
        yield f"\n### {noise.name.lower()} series, each cell tune / test half"
        header = ["method", "score asked", "false alerts a series-year", *KIND_NAMES, "us a point, 20 at once"]
        yield from table(header, (_row(result, noise) for result in results))
    yield "\nFalse alerts a series-year over all series, tune / test half:"
    for result in results:
        yield f"- {result.method}: {result.false[None, True]:.2f} / {result.false[None, False]:.2f}"


def _row(result: Result, noise: Noise) -> list[str]:
    found = [
        " / ".join(percent(result.found[noise, name, tune].percent) for tune in (True, False)) for name in KIND_NAMES
    ]
    false = " / ".join(
        "-" if isnan(rate) else f"{rate:.2f}" for rate in (result.false[noise, t] for t in (True, False))
    )
    line = result.lines[noise]
    return [result.method, f"{line:.2f}" if line < 1e6 else "never", false, *found, f"{result.microseconds:.1f}"]


def hourly_table(results: list[HourlyResult]) -> Iterator[str]:
    yield "\n### hourly: loops of 8 hours, found within 1 / 2 / 3 closed hours"
    header = ["class", "half", "series", "false alerts a series-year (all alerts)", *(f"x{t:g}" for t in TIMES)]
    yield from table(
        header,
        (
            [
                result.noise.name.lower(),
                "tune" if result.tune else "test",
                str(result.series),
                f"{result.false:.1f} ({result.every:.1f})",
                *(" / ".join(percent(share) for share in result.found[times]) for times in TIMES),
            ]
            for result in results
            if result.series
        ),
    )


Target = tuple[str, str, float, bool]
"""(measure, demand, measured, met)."""


def daily_targets(ours: Result, naive: Result) -> Iterator[Target]:
    """Recall and false alerts are those of the test half; `naive` is the same-weekday mean at k=3.25."""

    def recall(result: Result, noise: Noise, kind: str) -> float:
        return result.found[noise, kind, False].percent

    def at_most(measure: str, value: float, limit: float) -> Target:
        return measure, f"<= {limit:g}", value, value <= limit

    def at_least(measure: str, value: float, limit: float) -> Target:
        return measure, f">= {limit:g}", value, value >= limit

    yield at_most("steady: false alerts a series-year", ours.false[Noise.STEADY, False], 1.0)
    for kind, limit in (("x3", 95), ("x10", 99), ("x2", 85), ("step x2", 90), ("masked", 85)):
        yield at_least(f"steady: {kind}, %", recall(ours, Noise.STEADY, kind), limit)
    yield at_least("volatile: x10, %", recall(ours, Noise.VOLATILE, "x10"), 90)
    yield at_most("volatile: false alerts a series-year", ours.false[Noise.VOLATILE, False], 1.5)
    tuned = ours.found[Noise.INTERMITTENT, "x10", True].percent  # there is one such series, in the tune half
    yield at_least("intermittent (one series, tune half): x10, %", tuned, 90)
    yield at_most("intermittent (the same): false alerts a series-year", ours.false[Noise.INTERMITTENT, True], 1.5)
    yield at_most("all series: false alerts a series-year", ours.false[None, False], 1.3)
    gain = recall(ours, Noise.STEADY, "masked") - recall(naive, Noise.STEADY, "masked")
    yield at_least("steady: masked, points above the same-weekday mean", gain, 50)
    others = [kind for kind in KIND_NAMES if kind != "masked"]
    worst = min(recall(ours, Noise.STEADY, kind) - recall(naive, Noise.STEADY, kind) for kind in others)
    yield at_least("steady: worst other column, points against the same-weekday mean", worst, -5)


def hourly_targets(results: list[HourlyResult]) -> Iterator[Target]:
    for result in results:
        if result.noise is Noise.STEADY:
            half = "tune" if result.tune else "test"
            yield f"hourly steady, {half}: x5 in 2 h, %", ">= 90", result.found[5.0][1], result.found[5.0][1] >= 90
            yield f"hourly steady, {half}: x10 in 2 h, %", ">= 95", result.found[10.0][1], result.found[10.0][1] >= 95
            yield f"hourly steady, {half}: false alerts a series-year", "<= 2", result.false, result.false <= 2


def target_table(targets: Iterable[Target]) -> Iterator[str]:
    yield "\n### targets"
    rows = ([name, demand, f"{value:.2f}", "met" if met else "MISSED"] for name, demand, value, met in targets)
    yield from table(["measure", "demand", "measured", ""], rows)
