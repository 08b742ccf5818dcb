"""People in Slack as authors of what they do."""

from __future__ import annotations

from datetime import datetime

from service.domain.slack.requests import SlackPerson
from service.domain.values.plain_text import clean
from service.workflows.configuration.engine import Author


def author_of(person: SlackPerson, now: datetime) -> Author:
    return Author(person.actor, now, name=clean(person.name))
