"""Whose spend, budgets and alerts are, where a digest goes to their owners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.domain.alerts.alert import Alert
from service.domain.digests.alerts import concerns
from service.domain.notify.routing.owners import members_of, owners_of
from service.domain.sources.ownership import NOBODY, OwnerBook
from service.domain.spend.attribution import Attribution
from service.domain.values.scopes import EVERYTHING, Cell, Scope, ScopeKey


@dataclass(frozen=True, slots=True)
class Division:
    """Divides a digest among the receivers that are sent one: each owner's share, and the fallback's, which has the
    rest. So the shares' spend adds up to the whole.

    `attribution` is that of `book`. `names` are the receivers that a digest reaches, by id.
    """

    book: OwnerBook
    attribution: Attribution
    names: Mapping[str, str]
    fallback: str

    def shares(self, cells: Iterable[Cell]) -> tuple[Share, ...]:
        """Returns a share for the fallback, and for everybody to whom some of this spend belongs."""
        others = {self.receiver_of(cell) for cell in cells} - {self.fallback}
        return tuple(Share(self, id) for id in (self.fallback, *sorted(others, key=self.names.__getitem__)))

    def receiver_of(self, cell: Cell) -> str:
        return self._reached(self.attribution.of(cell))

    def receivers_of(self, owners: Iterable[str]) -> frozenset[str]:
        """Returns who hears of what these own, the fallback where it is nobody."""
        return frozenset(map(self._reached, owners)) or frozenset({self.fallback})

    @property
    def unreached(self) -> frozenset[str]:
        """The owners who cannot be sent a digest: what is theirs is the fallback's."""
        return frozenset(one.owner for one in self.book.members.values()) - {NOBODY, *self.names}

    def _reached(self, owner: str) -> str:
        return owner if owner in self.names else self.fallback


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a digest that one receiver is sent."""

    division: Division
    receiver_id: str

    @property
    def is_the_rest(self) -> bool:
        return self.receiver_id == self.division.fallback

    @property
    def about(self) -> str:
        """ "what ann@example.com owns"."""
        owns = any(one.owner == self.receiver_id for one in self.division.book.members.values())
        named = f"what {self.division.names.get(self.receiver_id, self.receiver_id)} owns"
        rest = "what is in no owner's share" if self.division.unreached else "what has no owner"
        return f"{named} and {rest}" if owns and self.is_the_rest else rest if self.is_the_rest else named

    def holds(self, cell: Cell) -> bool:
        return self.division.receiver_of(cell) == self.receiver_id

    def has_budget(self, key: ScopeKey, scope: Scope) -> bool:
        owners = (self.division.book.owner(one) for one in members_of(key, scope))
        return self.receiver_id in self.division.receivers_of(owners)

    def has_alert(self, alert: Alert, scope: Scope) -> bool:
        return self.receiver_id in self.division.receivers_of(owners_of(alert, scope, self.division.book))


@dataclass(frozen=True, slots=True)
class DigestPart:
    """The subject of one message of a digest: spend, budgets and alerts of a scope, and whose share, None for all."""

    scope: Scope
    share: Share | None = None

    @property
    def is_whole(self) -> bool:
        return self.scope == EVERYTHING and self.share is None

    def holds(self, cell: Cell) -> bool:
        return self.scope.holds(cell) and (self.share is None or self.share.holds(cell))

    def has_budget(self, key: ScopeKey, scope: Scope) -> bool:
        """Whether a budget of a scope is about spend inside it, as far as it says something of one member."""
        return concerns(self.scope, key, scope) and (self.share is None or self.share.has_budget(key, scope))

    def has_alert(self, alert: Alert, scope: Scope) -> bool:
        """Whether an alert is about spend inside it. `scope` is that of its budget or rule."""
        return concerns(self.scope, alert.scope, scope) and (self.share is None or self.share.has_alert(alert, scope))
