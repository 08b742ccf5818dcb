"""The end of a run: what is stored and what has arrived, against what had to be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from stress.fleet import Death
from stress.oracle import Expected, Key, Prophecy, Truth, spend_by
from stress.people import People
from stress.receivers import Arrival, sent_with_proof
from stress.upstream import Outage

Json = dict[str, Any]
OPEN_STATES = frozenset({"firing", "acknowledged"})
SOON = 15.0
"""Real seconds after a crash of the database, or before its end, in which an outcome cannot be written down."""
DIMENSIONS = ("workspace", "model")


@dataclass
class Verdict:
    """`differences` are what should not be; `counts` what was looked at."""

    differences: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def differs(self, text: str) -> None:
        self.differences.append(text)


async def read_alerts(people: People) -> list[Json]:
    """Every alert with its evidence, events and notifications."""
    return [(await people.ask("GET", f"/alerts/{one['id']}")).json() for one in await people.every("/alerts")]


# ------------------------------------------------------------------------------------------- alerts


def judge_alerts(verdict: Verdict, alerts: Sequence[Json], prophecies: Sequence[Prophecy]) -> None:
    """Every alert that must be there is there once, as it must stand; nothing else has fired."""
    verdict.counts.update(f"alerts of kind {alert['kind']}" for alert in alerts)
    found = _by_key(alerts)
    for prophecy in prophecies:
        for key, expected in prophecy.must.items():
            verdict.counts["alerts foretold"] += 1
            _judge(verdict, key, expected, found.pop(key, []))
        for key in prophecy.may & found.keys():
            verdict.counts["alerts that a report had shown and the bill took back"] += 1
            if any(alert["state"] != "resolved" for alert in found.pop(key)):
                verdict.differs(f"{_said(key)} is open, and the bill does not confirm it")
    for key, others in found.items():
        verdict.differs(f"{_said(key)} fired {len(others)} times and should not have: {others[0]['summary']}")


def _by_key(alerts: Sequence[Json]) -> dict[Key, list[Json]]:
    found: dict[Key, list[Json]] = defaultdict(list)
    for alert in alerts:
        if alert["kind"] == "budget":
            evidence = alert["evidence"]
            start = datetime.fromisoformat(evidence["period_start"])
            found[Key(evidence["budget"], alert["scope"], start)].append(alert)
    return found


def _judge(verdict: Verdict, key: Key, expected: Expected, alerts: Sequence[Json]) -> None:
    if len(alerts) != 1:
        verdict.differs(
            f"{_said(key)} is there {len(alerts)} times; it reached {expected.severity} at ${expected.spent}"
        )
        return
    (alert,) = alerts
    if alert["severity"] != expected.severity:
        verdict.differs(f"{_said(key)} is {alert['severity']} and should be {expected.severity}")
    if Decimal(alert["evidence"]["spent"]) != expected.spent:
        verdict.differs(f"{_said(key)} says ${alert['evidence']['spent']} of ${expected.spent}")
    if expected.is_over is not None and (alert["state"] in OPEN_STATES) is expected.is_over:
        verdict.differs(f"{_said(key)} is {alert['state']}")


def judge_stale(verdict: Verdict, alerts: Sequence[Json], outages: Sequence[Outage]) -> None:
    """Each outage has an alert, each failing stretch one alone, and all are over in the end.

    Polls that were killed fail as well: an alert may have begun before its outage, or without any.
    """
    stale = [alert for alert in alerts if alert["kind"] == "stale_source"]
    for outage in outages:
        if not any(alert["source"] == outage.organisation and _meets(alert, outage) for alert in stale):
            verdict.differs(f"{outage.organisation} was out from {outage.start} to {outage.end}, and nobody was told")
    stretches = Counter((alert["source"], alert["evidence"]["failing_since"]) for alert in stale)
    for (source, since), number in stretches.items():
        if number > 1:
            verdict.differs(f"{source} failed since {since}: {number} alerts")
    for alert in alerts:
        if alert["kind"] in {"stale_source", "undelivered"} and alert["state"] != "resolved":
            verdict.differs(f"{alert['kind']} of {alert['opened_at']} is {alert['state']}: {alert['summary']}")


def _meets(alert: Json, outage: Outage) -> bool:
    since, until = alert["evidence"]["failing_since"], alert["changed_at"]
    return datetime.fromisoformat(since) < outage.end and datetime.fromisoformat(until) > outage.start


def judge_answers(verdict: Verdict, alerts: Sequence[Json], people: People) -> None:
    """What a person was told had happened has happened once."""
    notes = Counter(event["note"] for alert in alerts for event in alert["events"] if event["command"] == "acknowledge")
    for note, alert in people.acknowledged.items():
        verdict.counts["acknowledgements answered"] += 1
        if notes[note] != 1:
            verdict.differs(f"the acknowledgement {note!r} of {alert} is there {notes[note]} times")
    for strange in sorted(notes.keys() - people.acknowledged.keys()):
        verdict.differs(f"an acknowledgement that nobody was told of: {strange!r}")
    for answer in people.broken:
        verdict.differs(f"the API answered {answer}")


def _said(key: Key) -> str:
    return f"{key.budget}, {key.scope}, from {key.period_start:%d %B}"


# ------------------------------------------------------------------------------------------- messages


def judge_messages(
    verdict: Verdict, alerts: Sequence[Json], notifications: Sequence[Json], arrivals: Sequence[Arrival]
) -> None:
    """Every notification is sent, and its receiver has it; every alert was told wherever its route leads."""
    proven = sent_with_proof(arrivals)
    for one in notifications:
        verdict.counts[f"notifications {one['state']}"] += 1
        if one["state"] in {"queued", "dead"}:
            last = one["attempts"][-1]["detail"] if one["attempts"] else "never tried"
            verdict.differs(f"notification {one['id']} ({one['action']}, {one['channel']}) is {one['state']}: {last}")
        elif one["state"] == "sent" and not _has_arrived(one, proven):
            verdict.differs(f"notification {one['id']} ({one['action']}, {one['channel']}) has not arrived")
    told = {(one["alert_id"], one["channel"].partition(":")[0]) for one in notifications if one["state"] == "sent"}
    for alert in alerts:
        for kind in sorted(_routed(alert) - {kind for id, kind in told if id == alert["id"]}):
            verdict.differs(f"nobody was told by {kind}: {alert['summary']}")


def _routed(alert: Json) -> set[str]:
    """The channels that an alert has to reach. Kinds that call nobody reach what people read alone: no webhook."""
    if alert["kind"] in {"incomplete", "unpriced"}:
        return set()
    return {"webhook", "email"} if _goes_by_mail(alert) else {"webhook"}


def _goes_by_mail(alert: Json) -> bool:
    return bool(alert["kind"] == "budget" and not str(alert["budget"]).startswith("daily"))


def _has_arrived(one: Json, proven: Mapping[str, object]) -> bool:
    kind = one["channel"].partition(":")[0]
    return kind == "console" or one["id"] in proven or (kind == "email" and one["alert_id"] in proven)


def judge_duplicates(verdict: Verdict, arrivals: Sequence[Arrival], deaths: Sequence[Death], lease: float) -> None:
    """A message may come twice where its sender died between the answer and the commit, and nowhere else."""
    for key, copies in sent_with_proof(arrivals).items():
        verdict.counts["messages taken with proof"] += 1
        for first, second in pairwise(copies):
            cause = next(_causes(first, second, deaths, lease), None)
            if cause is None:
                verdict.differs(
                    f"{key} came twice, {second.at - first.at:.1f} s apart (lease {lease:g} s), first from {first.pid}"
                )
            verdict.counts[f"duplicates: {cause or 'not explained'}"] += 1
    verdict.counts["messages taken whose answer was lost"] = sum(one.answer == "lost" for one in arrivals)


def _causes(first: Arrival, second: Arrival, deaths: Sequence[Death], lease: float) -> Iterator[str]:
    """Why the answer to the first copy was not written down.

    On a busy machine what a process sent is read when the process is dead already.
    """
    for death in deaths:
        if death.pid and death.pid == first.pid and death.at <= min(second.at, first.at + lease):
            yield "its sender was killed before it had written the answer down"
        if not death.pid and first.at - SOON <= death.at <= first.at + SOON:
            yield "the database crashed before the answer was written down"


# ------------------------------------------------------------------------------------------- spend


async def judge_spend(verdict: Verdict, people: People, source: str, truth: Truth) -> None:
    """Stored spend is what upstream says, to the last digit, by day and workspace and by day and model."""
    days = sorted(truth.final)
    window = f"since={days[0]}&until={days[-1] + timedelta(days=1)}"
    for place, dimension in enumerate(DIMENSIONS):
        path = f"/spend?source={source}&{window}&granularity=1d&group_by={dimension}".replace(" ", "%20")
        stored = {}
        for bucket in await people.every(path):
            groups = {group["id"]: Decimal(group["amount"]) for group in bucket["groups"]}
            stored[datetime.fromisoformat(bucket["start"]).date()] = {id: usd for id, usd in groups.items() if usd}
        for day, expected in spend_by(truth, place):
            cells = {id: usd for id, usd in expected.items() if usd}
            verdict.counts["cells of spend"] += len(cells)
            if stored.get(day, {}) != cells:
                verdict.differs(f"{source}, {day}, by {dimension}: stored {stored.get(day)}, upstream {cells}")
