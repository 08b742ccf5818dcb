"""Who made the calls of a row: a person by a keyed digest of the mail, a service account by its id.

Follows the types of the vendor's Python SDK 2.14.0. What a person is called is kept whole or not at all, and stands in
no error or notice: these are logged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from service.adapters.claude.answers import LONGEST_TEXT
from service.domain.sources.source import People
from service.domain.values.names import PERSON, SERVICE_ACCOUNT, name_of
from service.domain.values.scopes import Dimension, ScopeKey

_USER, _SERVICE_ACCOUNT = "user_actor", "service_account_actor"
NAMELESS = "the name of a person is too long or holds characters that cannot be shown: it is not kept"


@dataclass(frozen=True, slots=True)
class NamedActor:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ActorParser:
    """Parses actors as far as `people` lets them be known. `pseudonym` makes a keyed digest of a text."""

    people: People
    pseudonym: Callable[[str], str]

    @property
    def asks(self) -> bool:
        """Whether the report is to name actors."""
        return self.people is not People.OFF

    def parse(self, value: object, notices: Counter[str]) -> NamedActor | None:
        """None where nobody is named: a key that acts for itself, a deleted person, a kind that is not known."""
        if not self.asks or not isinstance(value, dict):
            return None
        if value.get("type") == _SERVICE_ACCOUNT:
            return _service_account(value.get("service_account_id"))
        identity = value.get("email_address") or value.get("user_id")
        if value.get("type") != _USER or not isinstance(identity, str):
            return None
        id = f"{PERSON}{self.pseudonym(identity.casefold())}"
        return NamedActor(id, self._name(value, notices) or name_of(ScopeKey(Dimension.ACTOR, id), {}))

    def _name(self, value: dict[str, object], notices: Counter[str]) -> str:
        if self.people is not People.NAMES:
            return ""
        given = value.get("email_address") or value.get("name")
        if not isinstance(given, str):
            return ""
        if not given.isprintable() or len(given.encode()) > LONGEST_TEXT:
            notices[NAMELESS] += 1
            return ""
        return given


NOBODY = ActorParser(People.OFF, lambda text: "")


def _service_account(id: object) -> NamedActor | None:
    if not isinstance(id, str) or not id.startswith(SERVICE_ACCOUNT) or not id.isprintable():
        return None
    return NamedActor(id, name_of(ScopeKey(Dimension.ACTOR, id), {})) if len(id.encode()) <= LONGEST_TEXT else None
