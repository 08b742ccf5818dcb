"""Open alerts whose scope is back to normal, but for not long enough to be over: nobody is notified of them again.

And those that end because what they are about is the new level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service.domain.alerts.alert import Alert
from service.domain.alerts.evidence import LevelChange, RuleEvidence
from service.domain.rules.gates import exceeds
from service.domain.rules.rule import Calm, Gates, NewLevel, Observation
from service.domain.rules.wording import approximate

CALM_AFTER = timedelta(hours=2)
"""For kinds that say nothing of it: how long an alert that goes on must not have exceeded its gates."""


@dataclass(frozen=True, slots=True)
class Rest:
    """`since`: when normal time began. `until`: when the alert ends, unless it returns; None where that is open."""

    since: datetime
    until: datetime | None

    def of(self, alert: Alert, found: RuleEvidence | None = None) -> RuleEvidence | None:
        """The alert's evidence while it rests, with what was found of it by now.

        An incident that people know by its hour is not shown by its day for what is left of it.
        """
        shown = alert.newest
        if not isinstance(shown, RuleEvidence):
            return None
        if found is not None:
            shown = found if found.unit == shown.unit else replace(shown, impact=found.impact)
        return replace(shown, calm_since=self.since, closes_at=self.until)


def rest_of(seen: Observation, alert: Alert, last_held: datetime, gates: Gates, now: datetime) -> Rest | None:
    """The rest of a scope with an open alert; None while it is not back to normal, or has been for a short time."""
    if seen.calm is not None:
        since, until = seen.calm.since, seen.calm.until
        least = alert.opened_at + seen.calm.at_least
        return Rest(since, max(until, least) if until else None) if since else None
    if math.isnan(seen.actual) or exceeds(seen, gates) or now - last_held < CALM_AFTER:
        return None
    return Rest(last_held, last_held + gates.keep_firing_for if gates.keep_firing_for else None)


def ending_level(alert: Alert, calm: Calm | None) -> NewLevel | None:
    """The level that ends an alert: one that was accepted while it was open."""
    level = calm.accepted if calm else None
    return level if level and alert.opened_at < level.accepted_at else None


def accepting(evidence: RuleEvidence, level: NewLevel, name: str) -> RuleEvidence:
    """The evidence of an alert as it ends with a new level. `name`: of the alert's scope."""
    change = LevelChange(name, level.since, approximate(level.before), approximate(level.after))
    return replace(evidence, level=change)
