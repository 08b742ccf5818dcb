"""Made-up organisations as tables and targets: alerts a quarter by severity, loops and their delays, launches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detecting import made_up
from detecting.by_rule import NOTICED, Make, Stretches, stretches
from detecting.made_up import JUDGED, LOOP
from detecting.report import Target, percent, table
from service.domain.detectors.arrays import Floats
from service.domain.values.scopes import Dimension
from service.domain.values.severity import Severity
from service.domain.values.utc import HOUR

SIZES = (150.0, 1_900.0, 38_000.0)
GROWTHS = made_up.growing(5), made_up.growing(10), made_up.growing(20)
ALL_SIZES: tuple[Make, ...] = (made_up.flat, GROWTHS[1])
KINDS_OF_QUIET: tuple[Make, ...] = (
    made_up.flat,
    GROWTHS[1],
    made_up.monthly_batch,
    made_up.holidays,
    *(made_up.christmas(told) for told in (made_up.ANYWHERE, made_up.GERMANY)),
    made_up.working_weekend,
    made_up.clocks_forward,
    made_up.clocks_back,
    made_up.new_workspace,
    made_up.migration,
)
GROWTH_SEEDS = 6
"""At least: of a single stretch one alert is 1.9 a quarter."""
LEVELS = (Dimension.ORGANISATION, Dimension.WORKSPACE)


def organisations(seeds: Sequence[int], sizes: Sequence[float] = SIZES) -> Iterator[str | Target]:
    yield from quiet_ones(seeds, sizes)
    yield from growth(seeds, sizes[1])
    yield from loops(seeds, sizes)
    yield from after_christmas(seeds, sizes)
    yield from launches(seeds, sizes)


def quiet_ones(seeds: Sequence[int], sizes: Sequence[float]) -> Iterator[str | Target]:
    shape = f"{len(seeds)} x {JUDGED} days"
    yield f"\n### made-up organisations: alerts a quarter, info / warning / error / critical; {shape}"
    found = {
        make: [stretches(make, daily, seeds) for daily in (sizes if make in ALL_SIZES else sizes[1:2])]
        for make in KINDS_OF_QUIET
    }
    yield from table(
        ["kind", "a day", "of the organisation", "of workspaces", "in all"],
        (
            [one.name, _dollars(one), *(_by_severity(one, level) for level in LEVELS), f"{one.a_quarter():.1f}"]
            for row in found.values()
            for one in row
        ),
    )
    for make in ALL_SIZES:
        worst = max(one.a_quarter(Severity.CRITICAL) for one in found[make])
        yield f"{found[make][0].name}: false criticals a quarter, at worst", "<= 0.5", worst, worst <= 0.5


def growth(seeds: Sequence[int], daily: float) -> Iterator[str | Target]:
    """Organisations that grow beside flat ones, over seeds of their own where there are few."""
    more_seeds = range(seeds[0], seeds[0] + 2 * max(GROWTH_SEEDS, len(seeds)), 2)
    shape = f"{len(more_seeds)} seeds from {seeds[0]}"
    yield f"\n### growth at ${daily:,.0f} a day: alerts a quarter and their standard error; {shape} x {JUDGED} days"
    flat, *grown = (stretches(make, daily, more_seeds) for make in (made_up.flat, *GROWTHS))
    yield from table(
        ["kind", "in all", "more than flat", *(severity.value for severity in Severity)],
        (
            [
                one.name,
                _with_error(one.each_quarter()),
                _with_error(one.each_quarter() - flat.each_quarter()),
                *(f"{one.a_quarter(severity):.1f}" for severity in Severity),
            ]
            for one in (flat, *grown)
        ),
    )
    for one in grown:
        more = one.a_quarter() - flat.a_quarter()
        yield f"{one.name}: alerts a quarter more than flat, {shape}", "<= 1", more, more <= 1


def _with_error(each: Floats) -> str:
    return f"{each.mean():.2f} +- {each.std(ddof=1) / len(each) ** 0.5:.2f}"


def _dollars(one: Stretches) -> str:
    return f"${one.daily:,.0f}"


def _by_severity(one: Stretches, level: Dimension) -> str:
    return " / ".join(f"{one.a_quarter(severity, level):.1f}" for severity in Severity)


def loops(seeds: Sequence[int], sizes: Sequence[float]) -> Iterator[str | Target]:
    yield f"\n### loops of {LOOP} hours in one workspace, six in seven weeks, nobody answers; {len(seeds)} x 6 loops"
    rows, critical = [], []
    for times in (5.0, 10.0):
        for daily in sizes:
            one = stretches(made_up.looping(times), daily, seeds)
            soon, late = one.loops_found(NOTICED), one.loops_found(9.1 * HOUR)
            paged = one.loops_found(NOTICED, Severity.CRITICAL)
            half, most = one.delays()
            rows.append(
                [
                    f"x{times:g}",
                    _dollars(one),
                    *(percent(share) for share in (soon, late, paged)),
                    f"{half:.1f} / {most:.1f}",
                    percent(one.share_of_level(Dimension.ORGANISATION)),
                    f"{one.besides_loops():.1f}",
                ]
            )
            if times == 5.0 and daily == sizes[0]:
                yield f"x5 loop at {_dollars(one)} a day within 3.1 h, %", ">= 60", soon, soon >= 60
            if times == 10.0:
                critical.append(paged)
    yield "x10 loop critical within 3.1 h, at the worst size, %", ">= 90", min(critical), min(critical) >= 90
    yield from table(
        [
            "loop",
            "a day",
            "found within 3.1 h, %",
            "9.1 h, %",
            "critical within 3.1 h, %",
            "hours until found, half / nine of ten",
            "alerts that are the organisation's, %",
            "alerts besides, a quarter",
        ],
        rows,
    )


def after_christmas(seeds: Sequence[int], sizes: Sequence[float]) -> Iterator[str | Target]:
    yield "\n### loops on the working days after Christmas: % found within 3.1 h / 9 h"
    rows = []
    for told in (made_up.ANYWHERE, made_up.GERMANY):
        for times in (3.0, 5.0):
            found = stretches(made_up.loops_after_christmas(times, told), sizes[1], seeds)
            rows.append([found.name, f"{found.loops_found(NOTICED):.0f} / {found.loops_found(9.1 * HOUR):.0f}"])
    yield from table(["loop", f"${sizes[1]:,.0f} a day"], rows)


def launches(seeds: Sequence[int], sizes: Sequence[float]) -> Iterator[str | Target]:
    yield "\n### launches: alerts within 30 days, % with exactly one, days until the last is over, at most"
    rows = []
    for times in (1.5, 2.0, 4.0):
        found = [stretches(made_up.launching(times), daily, seeds).after_launch() for daily in sizes[1:2]]
        rows.append([f"x{times:g}", *(f"{count:.1f}, {one:.0f} %, {days:.0f}" for count, one, days in found)])
        yield f"launch x{times:g}: alerts in 30 days", "1", found[0][0], found[0][0] == 1
    yield from table(["launch", *(f"${daily:,.0f} a day" for daily in sizes[1:2])], rows)
