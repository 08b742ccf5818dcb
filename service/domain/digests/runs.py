"""One occurrence of a digest on its way to the receiver's channels."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from service.domain.notify.notification import MOST_ATTEMPTS, Receipt, retry_wait
from service.domain.values.periods import Window

UNREADABLE_WAIT = timedelta(minutes=10)
"""After which a run is tried again whose digest or receiver cannot be read."""


class RunState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"


ChannelPlace = tuple[str, str]
"""A receiver's id, "" for the digest's own, and the key of one of its channels."""


@dataclass(frozen=True, slots=True)
class Sending:
    """The state of a run in one channel of a receiver, `receiver_id`: "" is the digest's own. `detail` is the channel's
    last word.

    `left_to` are the addresses that have not taken it yet while others have; empty where it is all of them, or none.
    """

    channel: str
    state: RunState = RunState.QUEUED
    attempts: int = 0
    detail: str = ""
    left_to: tuple[str, ...] = ()
    receiver_id: str = ""

    @property
    def place(self) -> ChannelPlace:
        return self.receiver_id, self.channel


@dataclass(frozen=True, slots=True)
class DigestRun:
    """One digest to be sent. `occurrence` is unique for its digest; `asked_by` is empty where the schedule asked.

    `sendings` is empty until the first attempt. `due_at` is when the next attempt is.
    """

    id: str
    digest_id: str
    occurrence: datetime
    window: Window
    before: Window
    asked_by: str
    state: RunState
    created_at: datetime
    due_at: datetime
    sendings: tuple[Sending, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DigestFailure:
    """A defect that keeps a digest's times from being told, and since when: no run of it is asked for."""

    since: datetime
    error: str


def with_places(run: DigestRun, places: Collection[ChannelPlace]) -> DigestRun:
    """The run with a sending for each place: what was tried is kept, what waits in a channel that is gone ends."""
    known = {sending.place: sending for sending in run.sendings}
    kept = [sending for sending in run.sendings if sending.place not in places and sending.state is RunState.SENT]
    asked = (known.get(place) or Sending(place[1], receiver_id=place[0]) for place in places)
    return _settled(replace(run, sendings=(*kept, *asked)))


def taken(run: DigestRun, place: ChannelPlace, receipt: Receipt, now: datetime) -> DigestRun:
    """A channel took the message; where some of its addresses may take it later, it is tried again for them alone."""
    tried = sending_of(run, place).attempts + 1
    if not receipt.left_to or tried >= MOST_ATTEMPTS:
        return _settled(_with(run, place, RunState.SENT, receipt.detail))
    part = _with(run, place, RunState.QUEUED, receipt.detail, left_to=receipt.left_to)
    return _settled(replace(part, due_at=max(run.due_at, now + retry_wait(tried, None))))


def refused(
    run: DigestRun, place: ChannelPlace, detail: str, *, permanent: bool, retry_after: timedelta | None, now: datetime
) -> DigestRun:
    """A channel did not: tried again with a doubled wait, an hour at most; given up if hopeless or tried too often."""
    tried = sending_of(run, place).attempts + 1
    if permanent or tried >= MOST_ATTEMPTS:
        return _settled(_with(run, place, RunState.DEAD, detail))
    later = now + retry_wait(tried, retry_after)
    waits = _with(run, place, RunState.QUEUED, detail, left_to=sending_of(run, place).left_to)
    return _settled(replace(waits, due_at=max(run.due_at, later)))


def given_up(run: DigestRun, detail: str) -> DigestRun:
    """There is nobody to send it to any more."""
    return replace(run, state=RunState.DEAD, detail=detail)


def put_off(run: DigestRun, detail: str, now: datetime) -> DigestRun:
    """Its digest or receiver cannot be read: tried again later, as often as it takes. No channel was asked."""
    return replace(run, detail=detail, due_at=now + UNREADABLE_WAIT)


def waiting(run: DigestRun) -> tuple[ChannelPlace, ...]:
    """The channels that have not taken it yet."""
    return tuple(sending.place for sending in run.sendings if sending.state is RunState.QUEUED)


def sending_of(run: DigestRun, place: ChannelPlace) -> Sending:
    return next(sending for sending in run.sendings if sending.place == place)


def _with(
    run: DigestRun, place: ChannelPlace, state: RunState, detail: str, *, left_to: tuple[str, ...] = ()
) -> DigestRun:
    known = sending_of(run, place)
    tried = replace(known, state=state, attempts=known.attempts + 1, detail=detail, left_to=left_to)
    return replace(run, sendings=tuple(tried if one.place == place else one for one in run.sendings))


def _settled(run: DigestRun) -> DigestRun:
    """Queued while a channel waits; then dead where any was given up."""
    if waiting(run):
        return replace(run, state=RunState.QUEUED)
    dead = any(sending.state is RunState.DEAD for sending in run.sendings)
    return replace(run, state=RunState.DEAD if dead or not run.sendings else RunState.SENT)
