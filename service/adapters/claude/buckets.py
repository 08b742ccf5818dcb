"""Buckets of a report: those whose bytes are as they were when they were stored are not parsed again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from service import __version__
from service.adapters.claude.answers import value_of
from service.adapters.claude.parser import Grid, ParsedBucket, Row
from service.domain.sources.poll import Notice
from service.domain.values.periods import Window
from service.workflows.ports.sources import ReadReport, StoredBuckets


@dataclass(frozen=True, slots=True)
class ReadBucket(Generic[Row]):
    """A bucket of a report. `parsed` is None where its bytes are those of the stored one."""

    window: Window
    fingerprint: bytes
    parsed: ParsedBucket[Row] | None


class Buckets(Generic[Row]):
    """Reads the buckets of one report."""

    def __init__(self, grid: Grid, parse: Callable[[object, Grid], ParsedBucket[Row]], stored: StoredBuckets) -> None:
        self._grid = grid
        self._parse: Callable[[object, Grid], ParsedBucket[Row]] = parse
        self._salt = (
            f"{__version__} {stored.prices} ".encode()
        )  # another release may make other facts of the same bytes
        self._stored = {fingerprint: window for window, fingerprint in stored.fingerprints.items()}

    def read(self, entry: bytes) -> ReadBucket[Row]:
        """Raises NotUnderstood."""
        fingerprint = hashlib.sha256(self._salt + entry).digest()
        window = self._stored.get(fingerprint)
        if window is not None:
            return ReadBucket(window, fingerprint, None)
        parsed = self._parse(value_of(entry), self._grid)
        return ReadBucket(parsed.bucket.window, fingerprint, parsed)


def whole_report(read: Sequence[ReadBucket[Row]]) -> ReadReport[Row]:
    """The report of its buckets, oldest first, with the notices of all that were parsed."""
    notices: Counter[str] = Counter()
    for one in read:
        notices += one.parsed.notices if one.parsed else Counter()
    return ReadReport(
        buckets=tuple(sorted((one.parsed.bucket for one in read if one.parsed), key=lambda bucket: bucket.window)),
        notices=tuple(Notice(text, times) for text, times in sorted(notices.items())),
        fingerprints={one.window: None if one.parsed.notices else one.fingerprint for one in read if one.parsed},
        unchanged=frozenset(one.window for one in read if one.parsed is None),
    )
