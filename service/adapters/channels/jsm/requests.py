"""The outcome of a request that Jira Service Management or Opsgenie took: both answer 202 before they act.

`GET {api}/v2/alerts/requests/{requestId}` is 404 until it has been acted on, then `isSuccess` and `status`; Opsgenie
wraps them in `data` (Atlassian, "Integration events"; Opsgenie, "Get Request Status"). Both forms are understood.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence

import httpx

from service.adapters.channels.posting import HttpCall, Peer, ask, json_object, spoken
from service.workflows.ports.channels import DeliveryError

PAUSES = (0.5, 1.0, 2.0)
"""Real seconds before each time it is asked."""
LONGEST = 10.0
"""Seconds for all of it: the message is out, and nobody is to wait for what is only nice to know."""
_ID = re.compile(r"[A-Za-z0-9-]{1,100}")


async def is_confirmed(
    transport: httpx.AsyncBaseTransport,
    peer: Peer,
    api_url: str,
    headers: Mapping[str, str],
    answer: bytes,
    pauses: Sequence[float] = PAUSES,
) -> bool:
    """Whether it was done; False where nobody knows yet. Raises DeliveryError where it was not."""
    request_id = json_object(answer).get("requestId")
    if not isinstance(request_id, str) or not _ID.fullmatch(request_id):
        return False
    try:
        async with asyncio.timeout(LONGEST):
            for pause in pauses:
                await asyncio.sleep(pause)
                outcome = await _outcome(transport, peer, f"{api_url}/v2/alerts/requests/{request_id}", headers)
                if outcome is not None:
                    return _judged(peer, outcome)
    except TimeoutError:
        return False
    return False


async def _outcome(
    transport: httpx.AsyncBaseTransport, peer: Peer, url: str, headers: Mapping[str, str]
) -> dict[str, object] | None:
    """None while it is not known: a question that fails is no message that fails."""
    try:
        found = json_object(await ask(transport, peer, HttpCall(url, headers=headers, method="GET")))
    except DeliveryError:
        return None
    inner = found.get("data")
    outcome = inner if isinstance(inner, dict) else found
    return outcome if isinstance(outcome.get("isSuccess"), bool) else None


def _judged(peer: Peer, outcome: Mapping[str, object]) -> bool:
    """It is the moment's failure: it may be a filter or a limit that somebody fixes there."""
    if outcome["isSuccess"] is not True:
        status = outcome.get("status")
        why = spoken(status) if isinstance(status, str) else "no reason given"
        raise DeliveryError(f"{peer.name} took the alert and did not create it: {why}")
    return True
