"""The newest days of a source as cells of a strip: a sign, a colour and words for how much is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.domain.spend.completeness import BucketState
from service.domain.spend.flaws import Flaw, FlawKind
from service.domain.values.plain_text import short_day
from service.workflows.dashboard.source_days import SourceDay

SIGNS: Mapping[BucketState, tuple[str, str]] = {
    BucketState.COMPLETE: ("\N{CHECK MARK}", "complete: its bill has settled"),
    BucketState.ZERO: ("0", "zero: read, and nothing was spent"),
    BucketState.EMPTY: ("\N{EMPTY SET}", "empty: read, and no report has a row of it"),
    BucketState.OPEN: ("\N{HORIZONTAL ELLIPSIS}", "open: it still fills up, or its bill is not due"),
    BucketState.LATE: ("L", "late: its bill is due, and was not read since"),
    BucketState.MISSING: ("?", "missing: no report has contained it"),
    BucketState.SUSPECT: ("!", "suspect: a report says nothing was spent, and is not believed"),
}
LEGEND = [(state.value, sign, words) for state, (sign, words) in SIGNS.items()]
WRONG = (BucketState.LATE, BucketState.MISSING, BucketState.SUSPECT)
_ADVICE = {
    BucketState.LATE: "The next good poll reads it. If it stays late, check the key.",
    BucketState.MISSING: "Read the past from that day on, below.",
    BucketState.SUSPECT: "What was known before stands. It is believed after three days, or once rows come.",
}


@dataclass(frozen=True, slots=True)
class DayCell:
    """A day: `state` names its colour, `sign` stands in it, `words` say all of it."""

    state: str
    sign: str
    number: str
    words: str


def day_cells(days: Iterable[SourceDay]) -> list[DayCell]:
    return [
        DayCell(
            state=one.state.value,
            sign=SIGNS[one.state][0],
            number=str(one.day.day),
            words=f"{short_day(one.day)}: {one.state.value}, {one.figure.spend.total.display()}",
        )
        for one in days
    ]


def remarks_on_days(days: Sequence[SourceDay], flaws: Iterable[Flaw]) -> list[tuple[str, str]]:
    """Returns what is wrong with which days, and what to do about it."""
    found = []
    for state in WRONG:
        named = [short_day(one.day) for one in days if one.state is state]
        if named:
            found.append((f"{state.value.capitalize()}: {', '.join(named)}", _ADVICE[state]))
    for flaw in flaws:
        if flaw.kind is FlawKind.TOTAL_DIFFERS and flaw.known is not None and flaw.total is not None:
            sums = f"groups add up to {flaw.known.display()}, the bill's own total is {flaw.total.display()}"
            found.append((f"Differs: {short_day(flaw.day)}", f"{sums}. It is read again at every poll."))
    return found
