"""How fast a channel may be written to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `messages` in any turn of this length."""

    messages: int
    turn: timedelta


ONE_A_SECOND = Rate(1, timedelta(seconds=1))
"""Slack's rule for one channel: https://docs.slack.dev/apis/web-api/rate-limits."""
TWO_A_SECOND = Rate(2, timedelta(seconds=1))
"""PagerDuty takes 120 events a minute and integration: https://developer.pagerduty.com/docs/events-api-v2-overview."""

RATES = {"slack_bot": ONE_A_SECOND, "slack_webhook": ONE_A_SECOND, "pagerduty": TWO_A_SECOND}
"""By kind of channel; the others know no limit, or tell by Retry-After."""


def rate_of(channel_key: str) -> Rate | None:
    return RATES.get(channel_key.partition(":")[0])
