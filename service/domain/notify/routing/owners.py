"""Whom an alert belongs to: the owners of what it is about, or whoever it was handed on to."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from service.domain.alerts.alert import Alert
from service.domain.sources.ownership import OWNABLE, OwnerBook
from service.domain.values.money import ZERO
from service.domain.values.scopes import Dimension, Scope, ScopeKey

LARGE_PART = Fraction(1, 3)
"""The share of an alert's dollars from which on a workspace's owner hears of an alert of the whole organisation."""


def members_of(key: ScopeKey, scope: Scope) -> tuple[ScopeKey, ...]:
    """Returns the workspace, API key or person `key`, else those that the scope of a budget or rule names.

    People come alone, else API keys: they say more than the workspaces that they are in.
    """
    if key.dimension in OWNABLE:
        return (key,)
    for dimension in reversed(OWNABLE):
        named = sorted((one for one in scope.members if one.dimension is dimension), key=str)
        if named:
            return tuple(named)
    return ()


def owners_of(alert: Alert, scope: Scope, book: OwnerBook) -> tuple[str, ...]:
    """Returns the owner of each member that an alert is about, receivers' ids, NOBODY for a member without one.

    An alert about none belongs to the owners of the workspaces, else API keys, that carry a large part of it.
    """
    if alert.handed_to is not None:
        return (alert.handed_to.receiver_id,)
    members = members_of(alert.scope, scope) or _large_parts(alert)
    return tuple(dict.fromkeys(book.owner(one) for one in members))


def _large_parts(alert: Alert) -> tuple[ScopeKey, ...]:
    evidence = alert.newest
    if evidence.whole <= ZERO:
        return ()
    least = evidence.whole.usd * LARGE_PART.numerator / LARGE_PART.denominator
    large = [part.scope for part in evidence.contributions if part.amount.usd >= least]
    return _of(Dimension.WORKSPACE, large) or _of(Dimension.API_KEY, large)


def _of(dimension: Dimension, scopes: Iterable[ScopeKey]) -> tuple[ScopeKey, ...]:
    return tuple(scope for scope in scopes if scope.dimension is dimension)
