"""Whether what tokens are spent on shows a loop sooner than what they cost: made-up hours with known truth.

    python benchmarks/cost_shape.py

A workspace sends requests at all hours. Usually an output token comes with 4 tokens of input, 20 read from a cache and
2 written to it; the mix differs by hour, by day, with how few requests there are, and a deployment changes it every
three weeks, by a third or so. A loop of 8 hours doubles the mean hour's cost. Four loops: with the usual mix (the same
request again and again), an agent that reads three or ten times as much from the cache for an output token, because it
sends its context again, and one that sends five times as much without a cache.

Cost alone fires at a line. With the shape, an hour fires at a line of its own, or at half of it where cache reads or
input for an output token are far above their own band, too. Both are held to one false alert a series-year: lines are
chosen on one half of the series, and measured on the other. The bands are those of hours (`hour_band`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from detecting.hourly import HOURS_A_YEAR, LOOP, TOGETHER
from detecting.measure import false_episodes
from detecting.report import table

from service.domain.detectors.arrays import Flags, Floats
from service.domain.detectors.hourly.detector import GATE_SHARE, HOURS, hour_band

SERIES, DAYS, LOOPS, SEEN = 24, 126, 40, (1, 2, 3)
PRICES = np.array([3.0, 0.3, 3.75, 15.0])
"""US dollars for a million tokens of input, cache read, cache write and output."""
MIX = np.array([4.0, 20.0, 2.0, 1.0])
DEPLOYED = 21 * 24
DEMAND = 1.0
"""False alerts a series-year."""
LINES = np.geomspace(0.2, 3.0, 40)
SHAPE_LINES = np.geomspace(0.3, 6.0, 30)
KINDS = {
    "the usual mix": MIX,
    "3 x the cache reads": MIX * [1, 3, 1, 1],
    "10 x the cache reads": MIX * [1, 10, 1, 1],
    "5 x the input": MIX * [5, 1, 1, 1],
}


@dataclass(frozen=True, eq=False)
class Told:
    """The scores of hours: of cost, and the higher one of the two shapes. `large`: the gate of hours is passed."""

    cost: Floats
    shape: Floats
    large: Flags

    def alerts(self, line: float, shape: float) -> Flags:
        loud = (self.cost >= line) | ((self.cost >= line / 2) & (self.shape >= shape))
        return np.asarray(loud & self.large)


def usual(seed: int, noise: float) -> Floats:
    """Millions of tokens of each hour: [kinds of token, hours]."""
    random, at = np.random.default_rng([seed, int(100 * noise)]), np.arange(DAYS * 24)
    rate = 100 * (1 + 0.7 * np.sin((at % 24 - 8) / 24 * 2 * np.pi)) * np.where(at // 24 % 7 < 5, 1.0, 0.6)
    requests = random.poisson(rate * random.lognormal(0, noise, at.size) * by_day(random, noise / 2))
    few = 1 / np.sqrt(np.maximum(requests, 1))
    wobble = random.normal(0, 1, (3, at.size)) * np.sqrt(noise**2 / 2 + few**2)
    deploys = random.lognormal(0, 0.3, (3, DAYS * 24 // DEPLOYED + 1)).repeat(DEPLOYED, axis=1)[:, : at.size]
    mix = MIX[:3, None] * np.exp(wobble) * deploys * np.stack([by_day(random, noise / 2) for _ in range(3)])
    return np.concatenate([mix, np.ones((1, at.size))]) * requests * 1e-3 * random.lognormal(0, few)


def by_day(random: np.random.Generator, size: float) -> Floats:
    return np.asarray(random.lognormal(0, size, DAYS).repeat(24))


def told(tokens: Floats, hours: Sequence[int]) -> Told:
    """Scores some hours by the 672 before each: `tokens` [kinds of token, hours]."""
    cost = (tokens * PRICES[:, None]).sum(axis=0)
    output = np.maximum(tokens[3], 1e-9)
    score, large = scored(cost, hours)
    reads, _ = scored(tokens[1] / output, hours)
    inputs, _ = scored(tokens[0] / output, hours)
    return Told(score, np.maximum(reads, inputs), large)


def scored(amounts: Floats, hours: Sequence[int]) -> tuple[Floats, Flags]:
    windows = np.stack([amounts[at - HOURS : at] for at in hours])
    band = hour_band(windows)
    excess = amounts[list(hours)] - band.expected
    return np.asarray(excess / band.reach), np.asarray(excess >= GATE_SHARE * band.expected)


def looped(tokens: Floats, seed: int, mix: Floats) -> Told:
    """The first hours of loops of one mix: scores of [loops, hours] as rows of one after the other."""
    random = np.random.default_rng([seed, 3])
    mean = float((tokens * PRICES[:, None]).sum(axis=0).mean())
    extra = mix * mean / float(mix @ PRICES)
    found = []
    for start in random.integers(HOURS, tokens.shape[1] - LOOP, LOOPS):
        window = tokens[:, start - HOURS : start + max(SEEN)].copy()
        window[:, HOURS:] += extra[:, None]
        window[:, HOURS] -= random.uniform(0, 0.7) * extra
        found.append(told(window, range(HOURS, HOURS + max(SEEN))))
    return Told(*(np.stack([getattr(one, name) for one in found]) for name in ("cost", "shape", "large")))


def false_alerts(quiet: Sequence[Told], line: float, shape: float) -> float:
    """A series-year."""
    count = sum(false_episodes(one.alerts(line, shape), np.zeros(one.cost.size, bool), TOGETHER) for one in quiet)
    return count / (len(quiet) * (DAYS * 24 - HOURS) / HOURS_A_YEAR)


def least_line(quiet: Sequence[Told], shape: float) -> float:
    """The lowest line of cost with no more false alerts than are asked for."""
    return float(next((line for line in LINES if false_alerts(quiet, line, shape) <= DEMAND), LINES[-1]))


def found(loops: Sequence[Told], line: float, shape: float) -> tuple[float, ...]:
    """Percent of loops seen within so many hours."""
    rung = np.concatenate([one.alerts(line, shape) for one in loops])
    return tuple(100 * float(rung[:, :hours].any(axis=1).mean()) for hours in SEEN)


def rows(noise: float) -> Iterator[list[str]]:
    tokens = [usual(seed, noise) for seed in range(0, 2 * SERIES, 2)]
    quiet = [told(one, range(HOURS, one.shape[1])) for one in tokens]
    half = SERIES // 2
    alone = least_line(quiet[:half], np.inf)
    loops = {name: [looped(one, seed, mix) for seed, one in enumerate(tokens)] for name, mix in KINDS.items()}
    tuned = [(least_line(quiet[:half], shape), shape) for shape in SHAPE_LINES]
    line, shape = max(tuned, key=lambda one: sum(sum(found(each[:half], *one)) for each in loops.values()))
    for name, each in loops.items():
        cells = [
            " / ".join(f"{share:.0f}" for share in found(each[half:], *lines))
            for lines in ((alone, np.inf), (line, shape))
        ]
        yield [f"{noise:g}", name, *cells]
    rates = (
        f"{false_alerts(quiet[half:], *lines):.1f} (line {lines[0]:.2f})" for lines in ((alone, np.inf), (line, shape))
    )
    yield [f"{noise:g}", "false alerts a series-year", *rates]


def main() -> None:
    begun = time.process_time()
    print(f"{SERIES} series of {DAYS} days, {LOOPS} loops of x2 in each: % found in {' / '.join(map(str, SEEN))} hours")
    print(
        "\n".join(
            table(
                ["noise", "loop", "cost alone", "cost and shape"],
                (row for noise in (0.1, 0.2, 0.3) for row in rows(noise)),
            )
        )
    )
    print(f"\nTook {time.process_time() - begun:.0f} s of CPU.")


if __name__ == "__main__":
    main()
