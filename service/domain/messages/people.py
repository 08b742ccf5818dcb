"""Actors as people know them."""

from __future__ import annotations

import re

from service.domain.access import PERSON
from service.domain.slack.requests import ACTOR_PREFIX, name_in
from service.domain.values.plain_text import clean

TOKEN = "token:"
_OF_THE_ENVIRONMENT = re.compile(r"environment [0-9a-f]{8}")


def known_as(actor: str, name: str) -> str:
    """Whoever an actor is, where no id belongs: "Dana (Slack)", "deploy"."""
    name = clean(re.sub("[()]", "", name))
    return f"{name} (Slack)" if name and actor.startswith(ACTOR_PREFIX) else name_of_actor(actor)


def name_of_actor(actor: str, note: str = "") -> str:
    """A name instead of how events and the audit log call them: "deploy", "slack:U012AB3CD (ann)".

    Slack shows the name of an id that stands in its own channels, so that the id stays there.
    """
    if actor.startswith(TOKEN):
        named = actor.removeprefix(TOKEN)
        return "the first admin" if _OF_THE_ENVIRONMENT.fullmatch(named) else clean(named)
    if actor.startswith(PERSON):
        return clean(actor.removeprefix(PERSON))
    name = re.sub("[()]", "", name_in(actor, note))
    return f"{clean(actor)} ({clean(name)})" if name else clean(actor)
