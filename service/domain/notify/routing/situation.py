"""The situation that decides about alerts besides spend: configuration, names and open alerts, read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from service.domain.alerts.alert import Alert, AlertEvent
from service.domain.alerts.evidence import OriginKind
from service.domain.budgets.budget import Budget
from service.domain.notify.escalation import EscalationPolicy
from service.domain.notify.planning import Address
from service.domain.notify.receivers import Receiver, channel_key
from service.domain.notify.rotas import Rota, on_call
from service.domain.notify.routing.labels import Belonging, Labels, Origin, labels_of
from service.domain.notify.routing.owners import members_of, owners_of
from service.domain.notify.routing.routes import RouteTable, or_instead
from service.domain.notify.routing.silences import Silence
from service.domain.rules.rule import Rule
from service.domain.sources.ownership import NOBODY, OwnedMember, OwnerBook, Ownership
from service.domain.sources.source import Source
from service.domain.values.mail_addresses import is_same
from service.domain.values.names import Names
from service.domain.values.resources import Resource
from service.domain.values.scopes import EVERYTHING, Dimension, Scope, ScopeKey

NO_ROUTES = RouteTable(())
NO_OWNERS = Ownership()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A stored resource whose text is no spec of its kind, and what is wrong with it."""

    kind: str
    error: str


@dataclass(frozen=True, slots=True)
class ConfigurationSnapshot:
    """The configuration that concerns one source, at one instant. Resources are found by their ids.

    `unreadable` are those that are stored and could not be read: they are in no other mapping.
    """

    sources: Mapping[str, Resource[Source]] = field(default_factory=dict)
    budgets: Mapping[str, Resource[Budget]] = field(default_factory=dict)
    rules: Mapping[str, Resource[Rule[object]]] = field(default_factory=dict)
    receivers: Mapping[str, Resource[Receiver]] = field(default_factory=dict)
    routes: RouteTable = NO_ROUTES
    silences: Mapping[str, Resource[Silence]] = field(default_factory=dict)
    policies: Mapping[str, Resource[EscalationPolicy]] = field(default_factory=dict)
    rotas: Mapping[str, Resource[Rota]] = field(default_factory=dict)
    ownership: Ownership = NO_OWNERS
    unreadable: Mapping[str, Unreadable] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Situation:
    """The situation of one source in a transaction that evaluates or announces its alerts.

    `names` are those of the source's workspaces and API keys. `key_workspaces` has the workspace of each key by its id.
    """

    now: datetime
    configuration: ConfigurationSnapshot
    open_alerts: Sequence[Alert] = ()
    names: Names = field(default_factory=dict)
    key_workspaces: Mapping[str, str] = field(default_factory=dict)
    _by_scope: Mapping[ScopeKey, Sequence[Alert]] = field(init=False, repr=False, compare=False)
    _book: OwnerBook = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_scope: dict[ScopeKey, list[Alert]] = defaultdict(list)
        for alert in self.open_alerts:
            by_scope[alert.scope].append(alert)
        object.__setattr__(self, "_by_scope", dict(by_scope))
        owned: dict[ScopeKey, OwnedMember] = {}
        for source_id in self.configuration.sources:
            owned |= self.configuration.ownership.of_source(source_id)
        object.__setattr__(self, "_book", OwnerBook(owned, self.key_workspaces))

    def unreadable(self, kind: str) -> dict[str, str]:
        """The resources of a kind that could not be read, by id, with what is wrong."""
        unreadable = self.configuration.unreadable
        return {id: one.error for id, one in unreadable.items() if one.kind == kind}

    def open_in(self, scope: ScopeKey) -> Sequence[Alert]:
        """The open alerts of a scope."""
        return self._by_scope.get(scope, ())

    def after(self, events: Iterable[AlertEvent]) -> Situation:
        """The situation in which events of different alerts have left them."""
        moved = {event.alert.id: event.alert for event in events}
        others = (alert for alert in self.open_alerts if alert.id not in moved)
        return replace(self, open_alerts=[*others, *(alert for alert in moved.values() if alert.is_open)])

    def addresses(self, *receiver_ids: str) -> list[Address]:
        """The channels of receivers; none of one that has been deleted."""
        known = self.configuration.receivers
        return [
            Address(id, channel_key(channel), channel)
            for id in receiver_ids
            if id in known
            for channel in known[id].spec.channels
        ]

    def owners(self, alert: Alert | None, labels: Labels) -> tuple[str, ...]:
        """Whom an alert belongs to, receivers' ids, NOBODY for a part without an owner; labels alone name theirs."""
        known = self.configuration.receivers
        if alert is None:
            named = labels.get("owner", frozenset())
            return tuple(id for id, one in known.items() if id in named or any(is_same(one.name, it) for it in named))
        owners = owners_of(alert, self._scope(alert), self._book)
        return tuple(owner if owner in known else NOBODY for owner in owners)

    def can_call(self, policy_id: str) -> bool:
        """Whether a policy, and the rotas of its steps, can be read."""
        policy, unreadable = self.configuration.policies.get(policy_id), self.configuration.unreadable
        steps = policy.spec.steps if policy else ()
        return policy_id not in unreadable and not any(step.rota_id in unreadable for step in steps)

    def called(
        self, policy_id: str, number: int, owners: Sequence[str], after: timedelta = timedelta()
    ) -> tuple[str, ...]:
        """The receivers that a policy's step calls: the owners, its own, or that of whoever is on call `after` now."""
        step = self.configuration.policies[policy_id].spec.steps[number]
        if step.receiver_id is not None:
            return or_instead(owners, step.receiver_id) if step.to_owner else (step.receiver_id,)
        assert step.rota_id is not None  # as `validate_policy` has seen to
        return (on_call(self.configuration.rotas[step.rota_id].spec, self.now + after).receiver_id,)

    def labels(self, alert: Alert) -> Labels:
        """The labels that routes and silences are matched with. Resources that have been deleted are left out."""
        source = self.configuration.sources.get(alert.source_id)
        origin = self._origin(alert) or Origin(labels=source.labels if source else None)
        belongs = Belonging(self._owner_names(alert), self._tags(alert, origin.scope))
        workspace = self.key_workspaces.get(alert.scope.id) if alert.scope.dimension is Dimension.API_KEY else None
        if workspace:
            origin = replace(origin, scope=replace(origin.scope, workspaces=(workspace,)))
        return labels_of(alert, source.name if source else "", origin, self.names, belongs)

    def _owner_names(self, alert: Alert) -> frozenset[str]:
        """Ids and names."""
        owners = [one for one in self.owners(alert, {}) if one]
        return frozenset(text for id in owners for text in (id, self.configuration.receivers[id].name))

    def _tags(self, alert: Alert, scope: Scope) -> Labels:
        found: dict[str, frozenset[str]] = {}
        for member in members_of(alert.scope, scope):
            for tag, value in self._book.tags(member).items():
                found[tag] = found.get(tag, frozenset()) | {value}
        return found

    def _scope(self, alert: Alert) -> Scope:
        origin = self._origin(alert)
        return origin.scope if origin else EVERYTHING

    def _origin(self, alert: Alert) -> Origin | None:
        """The budget or rule that an alert is about; None for an alert of neither."""
        ref, configuration = alert.evidence.origin, self.configuration
        if ref is None:
            return None
        found = (configuration.budgets if ref.kind is OriginKind.BUDGET else configuration.rules).get(ref.id)
        return Origin(found.name, found.labels, found.spec.scope) if found else Origin(scope=Scope())
