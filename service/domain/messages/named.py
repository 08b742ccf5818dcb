"""Names of people put into what an alert says: what is stored of them is a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from service.domain.alerts.alert import Alert, AlertEvent
from service.domain.alerts.evidence import Evidence
from service.domain.messages.phrases import capital
from service.domain.values.names import Names, name_of, with_noun
from service.domain.values.plain_text import clean
from service.domain.values.scopes import Dimension, ScopeKey


def actors_in(alert: Alert) -> frozenset[ScopeKey]:
    """The actors that an alert's messages speak of."""
    evidence = (alert.evidence, alert.newest)
    found = {alert.scope, *(part.scope for one in evidence for part in one.contributions)}
    return frozenset(key for key in found if key.dimension is Dimension.ACTOR and key.id)


def with_names(event: AlertEvent, names: Names) -> AlertEvent:
    """The event as people are told of it. An actor without a name stays what it is called without one."""
    actors = {key: names[key] for key in actors_in(event.alert) if key in names}
    if not actors:
        return event
    alert, latest = event.alert, event.alert.latest
    told = replace(alert, evidence=_named(alert.evidence, actors), latest=_named(latest, actors) if latest else None)
    return replace(event, alert=told)


def _named(evidence: Evidence, actors: Names) -> Evidence:
    parts = tuple(replace(part, name=actors.get(part.scope, part.name)) for part in evidence.contributions)
    words = {name_of(key, {}): with_noun("person", clean(name)) for key, name in actors.items()}
    return replace(evidence, contributions=parts).spoken(partial(_said, words=words))


def _said(text: str, words: Mapping[str, str]) -> str:
    for number, name in words.items():
        text = text.replace(number, name).replace(number.capitalize(), capital(name))
    return text
