"""The hops of a drill, as the answers of REST tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service.cli.remote.showing import items
from service.client.errors import Json

OPENS, RESOLVES = ("open", "raise"), ("resolve",)
SETTLED = frozenset({"sent", "dead", "suppressed"})
NO_WORKER = "nobody has begun it: see that a worker runs (tocsin worker, or tocsin up)"


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the way, with its seconds where it was passed. `broken`: the drill ends as not passed."""

    name: str
    detail: str
    seconds: float | None = None
    broken: bool = False


def of_poll(poll: dict[str, Json]) -> Hop:
    """The hop of a poll, over or not."""
    errors = [f"{one['report']}: {one['error']}" for one in items(poll, "reports") if one["error"]]
    if poll["state"] in ("queued", "running"):
        detail = NO_WORKER if poll["state"] == "queued" else "it still runs; its source answers slowly, or much is read"
        return Hop("source poll", f"{poll['state']}: {detail}", broken=True)
    if poll["state"] == "failed":
        return Hop("source poll", "; ".join(errors) or "it failed; the worker's log says why", broken=True)
    return Hop("source poll", "; ".join(errors) or "every report was read", _between(poll, "created_at", "finished_at"))


def of_notification(one: dict[str, Json]) -> Hop:
    """The hop of a message to one channel: its delivery where nobody has tried it yet, else the channel's answer."""
    place, attempts = f"{one['receiver']} ({kind_of(one['channel'])})", items(one, "attempts")
    said = str(attempts[-1]["detail"]) if attempts else ""
    if one["state"] == "sent":
        return Hop(f"answer of {place}", said or "taken", _between(one, "created_at", "sent_at"))
    if one["state"] == "suppressed":
        held = f": {one['held_by']}" if one["held_by"] else ""
        return Hop(f"notification of {place}", f"held back, {one['reason']}{held}", broken=True)
    if not attempts:
        waits = (_between(one, "created_at", "due_at") or 0) > 0
        detail = f"it leaves at {one['due_at']}, with others of its group" if waits else NO_WORKER
        return Hop(f"notification of {place}", detail, broken=True)
    given_up = "given up" if one["state"] == "dead" else "not taken yet"
    return Hop(f"answer of {place}", f"{given_up}: {said}", broken=True)


def of_alert(alert: dict[str, Json], actions: Sequence[str]) -> list[Hop]:
    """The hops of an alert's notifications with one of these actions, one a channel."""
    found = [one for one in items(alert, "notifications") if one["action"] in actions]
    nowhere = Hop("route", "no route leads to a channel: PUT /v1/routes, or give the receiver a channel", broken=True)
    return [of_notification(one) for one in reversed(found)] or [nowhere]


def are_settled(alert: dict[str, Json], actions: Sequence[str]) -> bool:
    """Whether nothing is left to wait for of the notifications with one of these actions."""
    return all(one["state"] in SETTLED for one in items(alert, "notifications") if one["action"] in actions)


def kind_of(channel: Json) -> str:
    return str(channel).partition(":")[0]


def _between(answer: dict[str, Json], first: str, last: str) -> float | None:
    if not answer[first] or not answer[last]:
        return None
    return (datetime.fromisoformat(str(answer[last])) - datetime.fromisoformat(str(answer[first]))).total_seconds()
