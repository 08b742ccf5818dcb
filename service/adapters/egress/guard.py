"""Which addresses may be connected to: the public internet, the networks that are listed, and trusted places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from service.adapters.egress.addresses import LOOPBACK, IPAddress, Network, forms, is_localhost, kind_of, literal
from service.workflows.ports.platform import EgressRefused

_PORTS = {"http": 80, "https": 443}
_DRILL_ADVICE = "while TOCSIN_CLOCK is set, only simulated sources on it are polled"
_ADVICE = "list its network in TOCSIN_EGRESS_ALLOW to allow it"


class Endpoint(NamedTuple):
    """A host, as written, and a port: all that a connection is given."""

    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Endpoint:
        """Raises ValueError for what is not an http or https URL."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or "%" in parts.hostname:
            raise ValueError("not an http or https address")
        return cls(parts.hostname, _PORTS[parts.scheme] if parts.port is None else parts.port)


@dataclass(frozen=True, slots=True)
class Guard:
    """Judges addresses; looks nothing up. An AddressCheck.

    `allowed` networks may be reached although they are special; a `trusted` place may be reached wherever it is.
    """

    allowed: tuple[Network, ...] = ()
    trusted: frozenset[Endpoint] = frozenset()

    def objection(self, url: str) -> str | None:
        """Why the URL may not be used, as far as its text tells."""
        try:
            place = Endpoint.of(url)
        except ValueError:
            return "this is not an http or https address"
        return self.objection_to(place)

    def objection_to(self, place: Endpoint) -> str | None:
        """Why the place may not be connected to, as far as its name tells: a literal address, or the own machine."""
        if place in self.trusted:
            return None
        address = literal(place.host)
        if address is not None:
            kind = self._refused_kind(address)
        else:
            local = is_localhost(place.host) and all(map(self._refused_kind, LOOPBACK))
            kind = kind_of(LOOPBACK[0]) if local else None
        return f"{place.host} is {kind}; {_ADVICE}" if kind else None

    def passed(self, place: Endpoint, addresses: Sequence[IPAddress]) -> tuple[IPAddress, ...]:
        """Those of a place's addresses that may be connected to, in their order.

        Raises EgressRefused when none may. One that may suffices: a name often has an IPv4 and an IPv6 address
        of which a single one is listed.
        """
        if place in self.trusted:
            return tuple(addresses)
        passed = tuple(address for address in addresses if self._refused_kind(address) is None)
        if addresses and not passed:
            raise EgressRefused(self.objection_to(place) or _resolved_words(place.host, addresses[0]))
        return passed

    def _refused_kind(self, address: IPAddress) -> str | None:
        """The kind of an address that the guard forbids; None where it is allowed."""
        if any(form in network for form in forms(address) for network in self.allowed):
            return None
        return kind_of(address)


@dataclass(frozen=True, slots=True)
class DrillGuard(Guard):
    """The guard of a drill's sources: whatever is allowed or trusted, none is off this machine.

    Business time runs faster in a drill, so that a vendor would be asked as many times more often.
    """

    def objection_to(self, place: Endpoint) -> str | None:
        address = literal(place.host)
        here = is_localhost(place.host) if address is None else address.is_loopback
        return Guard.objection_to(self, place) if here else f"{place.host} leads off this machine; {_DRILL_ADVICE}"

    def passed(self, place: Endpoint, addresses: Sequence[IPAddress]) -> tuple[IPAddress, ...]:
        here = [address for address in addresses if address.is_loopback]
        if addresses and not here:
            raise EgressRefused(f"{place.host} leads off this machine; {_DRILL_ADVICE}")
        return Guard.passed(self, place, here)


def _resolved_words(name: str, address: IPAddress) -> str:
    return f"{name} resolves to {address}, {kind_of(address)}; {_ADVICE}"


def parse_networks(text: str) -> tuple[Network, ...]:
    """CIDRs, comma separated; a single address is a network of one. Raises ValueError naming the bad one."""
    networks: list[Network] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            networks.append(ip_network(part))
        except ValueError as error:
            raise ValueError(f"{part!r} is not a network such as 10.0.0.0/8 ({error})") from None
    return tuple(networks)


def trusting(guard: Guard, urls: Iterable[str]) -> Guard:
    """The guard that also trusts these URLs' places. Raises ValueError for what is not an http or https URL."""
    return Guard(guard.allowed, guard.trusted | {Endpoint.of(url) for url in urls})
