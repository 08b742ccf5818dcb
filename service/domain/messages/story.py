"""The story of an alert that is over: who answered it, how soon, and what it had cost until then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.messages.people import name_of_actor
from service.domain.messages.phrases import minutes
from service.domain.slack.requests import name_in
from service.domain.values.money import Money
from service.domain.values.plain_text import clean


@dataclass(frozen=True, slots=True)
class Answer:
    """The first acknowledgement: by whom, how long after the opening, and the alert's dollars by then."""

    by: str
    after: timedelta
    figure: Money | None

    def words(self, at_the_end: Money | None) -> str:
        """ "acknowledged by ann after 4 min ($40.00 by then)"; without dollars where they are those of the end."""
        then = self.figure
        grew = then is not None and at_the_end is not None and then < at_the_end
        at = f" ({then.brief()} by then)" if then is not None and grew else ""
        return f"acknowledged by {self.by} after {minutes(self.after)}{at}"


def answer_of(history: Sequence[AlertEvent]) -> Answer | None:
    """The answer in an alert's events, the oldest first; None where nobody acknowledged."""
    for event in history:
        if event.command is Command.ACKNOWLEDGE:
            alert = event.alert
            # Not by id, of which Slack makes a mention: nobody is called when it is over.
            by = clean(name_in(event.actor, event.note)) or name_of_actor(event.actor)
            return Answer(by, event.at - alert.opened_at, alert.evidence.figure)
    return None
