"""How well unusual spend is found, on public series with injected incidents: prints Markdown tables and targets.

    python benchmarks/detection.py --data daily.csv.gz --hourly hourly.csv.gz

The files have the columns series, date, y; without them no series is measured. Then come noisy offices and
organisations that are made up, `--seeds` of each kind, and six at least of growth, where a single alert would decide;
the organisations by the rule with its gates and alerts. All of it takes under five minutes on one core. `--slow` adds
what is installed of Prophet, STL (statsmodels) and AutoETS (statsforecast), on every third steady series: some minutes
more.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from detecting.hourly import measure
from detecting.incidents import trials
from detecting.made_up_tables import organisations
from detecting.measure import Field, Result
from detecting.methods import FAST, NAIVE, OURS
from detecting.offices import noisy_offices
from detecting.repeated import repeated_days, repeated_hours
from detecting.report import Target, daily_tables, daily_targets, hourly_table, hourly_targets, target_table
from detecting.series import Series, read
from detecting.slow import installed
from detecting.speed import speeds
from detecting.young import acceptance_table, cold_start_table

from service.domain.detectors.noise import Noise

SEED = 20261121
DAILY_MEAN, HOURLY_MEAN = 200.0, 20.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="daily series, .csv or .csv.gz")
    parser.add_argument("--hourly", type=Path, help="hourly series")
    parser.add_argument("--slow", action="store_true", help="library methods too, where they are installed")
    parser.add_argument("--seeds", type=int, default=1, help="made-up organisations of each kind, 0 for none")
    parser.add_argument("--first", type=int, default=2, help="the first seed, and then every other: odd ones judge")
    parser.add_argument("--trials", type=int, default=40, help="incidents of each kind in each series")
    return parser.parse_args()


def run_daily(series: list[Series], each: int) -> list[Target]:
    field = Field(series, list(trials(series, each, SEED)))
    print(f"{len(series)} daily series, {len(field.trials)} incidents, ${DAILY_MEAN:.0f} a day on average, seed {SEED}")
    results = {method.name: field.run(method) for method in FAST}
    print("\n".join(daily_tables(list(results.values()))))
    print("\n".join([*acceptance_table(series, each, SEED), *cold_start_table(series, each, SEED)]))
    return [*daily_targets(results[OURS.name], results[NAIVE.name]), *shown(repeated_days(series, each, SEED))]


def shown(lines: Iterable[str | Target]) -> Iterator[Target]:
    """Prints the table's lines and passes its targets on."""
    for line in lines:
        if isinstance(line, str):
            print(line)
        else:
            yield line


def run_slow(series: list[Series]) -> list[Result]:
    """Library methods and ours, on a third of the steady series and few trials: rows comparable among themselves."""
    methods, missing = installed()
    for library in missing:
        print(f"{library}: not installed")
    chosen = [one for one in series if one.noise is Noise.STEADY][::3]
    field = Field(chosen, list(trials(chosen, 6, SEED)))
    return [field.run(method) for method in (OURS, *methods)]


def main() -> None:
    asked, begun = arguments(), time.perf_counter()
    series = read(asked.data, DAILY_MEAN, 7) if asked.data else []
    targets = run_daily(series, asked.trials) if series else []
    if asked.hourly:
        hours = read(asked.hourly, HOURLY_MEAN, 168)
        hourly = measure(hours, asked.trials, SEED)
        print("\n".join(hourly_table(hourly)))
        targets += [*hourly_targets(hourly), *shown(repeated_hours(hours, asked.trials, SEED))]
    if asked.seeds:
        seeds = range(asked.first, asked.first + 2 * asked.seeds, 2)
        targets += [*shown(noisy_offices(seeds)), *shown(organisations(seeds))]
    print("\n".join(target_table([*targets, *speeds()])))
    print(f"\nTook {time.perf_counter() - begun:.0f} s, {time.process_time():.0f} s of processor time.", flush=True)
    if asked.slow and series:
        print("\n".join(["\n## Library methods, a third of the steady series", *daily_tables(run_slow(series))]))
        print(f"\nTook {time.perf_counter() - begun:.0f} s in all.")


if __name__ == "__main__":
    main()
