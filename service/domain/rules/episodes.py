"""What is remembered of a rule's scopes from one evaluation to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from service.domain.values.scopes import ScopeKey


@dataclass(frozen=True, slots=True)
class EpisodeKey:
    rule_id: str
    scope: ScopeKey


@dataclass(frozen=True, slots=True)
class Episode:
    """A scope that a rule objects to, from the first objection until it is calm again. Times are aware UTC.

    `held_since`: since when nothing but time keeps it from ringing; None while it does not stand. `last_held`: when it,
    or a scope whose alert it is, exceeded its gates last.
    """

    began_at: datetime
    held_since: datetime | None = None
    last_held: datetime | None = None


Episodes = Mapping[ScopeKey, Episode]
"""Those of one rule."""
