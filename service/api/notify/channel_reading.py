"""A channel's JSON to its configuration: secrets are sealed, stubs stand for stored ones, addresses are guarded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from service.api.http.addresses import require_permitted
from service.api.http.secrets import Secret, SecretStub, sealed, stands_for
from service.api.notify.channel_documents import ALIKE, PARTS, Part
from service.domain.notify.channels.documents import Form
from service.domain.notify.channels.registry import KINDS, ChannelConfig
from service.domain.values.errors import Invalid
from service.domain.values.resources import Sealed
from service.workflows.ports.unit_of_work import Ports


def read_channel(ports: Ports, document: BaseModel, stored: Sequence[ChannelConfig], pointer: str) -> ChannelConfig:
    """Raises Invalid. A secret stub stands for the secret of a stored channel of its kind."""
    given = {name: value for name, value in document if value is not None}
    kind = _kind_of(given, pointer)
    return _Reader(ports, kind, given, [one for one in stored if type(one) is kind], pointer).read()


def _kind_of(given: Mapping[str, Any], pointer: str) -> type[ChannelConfig]:
    kind = ALIKE[given["kind"]][0]
    if kind.document.choose is None:
        return kind
    try:
        return KINDS[kind.document.choose(given)]
    except Invalid as error:
        raise Invalid(str(error), f"{pointer}{error.pointer}") from None


@dataclass(frozen=True, slots=True)
class _Reader:
    """`given` are the fields that were sent, `alike` the stored channels of the kind."""

    ports: Ports
    kind: type[ChannelConfig]
    given: Mapping[str, Any]
    alike: Sequence[ChannelConfig]
    pointer: str

    def read(self) -> ChannelConfig:
        """Reads addresses before the secrets that are sent there."""
        parts = [part for part in PARTS[self.kind] if part.name in self.given]
        plain = {part.name: self._plain(part) for part in parts if not part.is_secret}
        places = {text for part in parts if part.mark.form is Form.ADDRESS for text in _texts(plain[part.name])}
        alike = sorted(self.alike, key=lambda one: sum(getattr(one, name) != plain[name] for name in plain))
        secrets: dict[str, Any] = {part.name: self._secret(part, alike, places) for part in parts if part.is_secret}
        return self.kind(**plain, **secrets)

    def _plain(self, part: Part) -> Any:
        value, place = self.given[part.name], f"{self.pointer}/{part.name}"
        if not part.several:
            return self._text(part, value, place) if part.type is str else value
        found: list[Any] = []
        for position, one in enumerate(value):
            text = self._text(part, one, f"{place}/{position}")
            if part.mark.form is Form.ADDRESS and text in found:
                raise Invalid("this member is listed already", f"{place}/{position}")
            found.append(text)
        return tuple(found)

    def _text(self, part: Part, text: str, place: str) -> str:
        kept = _kept(part, text, place)
        if part.mark.form is Form.ADDRESS and all(kept not in _places(one) for one in self.alike):
            require_permitted(self.ports.egress.receivers, kept, place)
        return kept

    def _secret(self, part: Part, alike: Sequence[ChannelConfig], places: Set[str]) -> Sealed:
        """Returns the secret to store. A stored one goes to no address that it did not go to before."""
        secret, place = self.given[part.name], f"{self.pointer}/{part.name}"
        if part.mark.form is Form.SECRET_ADDRESS:
            return self._secret_address(part, secret, [old for _, old in _stored_secrets(part, alike)], place)
        if isinstance(secret, SecretStr):
            secret = SecretStr(_kept(part, secret.get_secret_value(), place))
        known = [(old, places <= _places(one)) for one, old in _stored_secrets(part, alike)]
        if isinstance(secret, SecretStub):
            known = [(old, stays) for old, stays in known if stands_for(secret, old)]
        old, stays = min(known, key=lambda one: not one[1], default=(None, True))
        return _doubted(part, secret, sealed(self.ports.vault, secret, old, moved=not stays, pointer=place))

    def _secret_address(self, part: Part, secret: Secret, known: Sequence[Sealed], place: str) -> Sealed:
        if isinstance(secret, SecretStub):
            old = next((one for one in known if stands_for(secret, one)), None)
            return sealed(self.ports.vault, secret, old, moved=False, pointer=place)
        _require_web_address(secret.get_secret_value(), place)
        url = _kept(part, secret.get_secret_value(), place)
        # The same address keeps what is stored for it, so that an unchanged document stays unchanged.
        same = next((one for one in known if self.ports.vault.matches(one, url)), None)
        if same is None:
            require_permitted(self.ports.egress.receivers, url, place)
        checked = SecretStr(url)
        return _doubted(part, checked, sealed(self.ports.vault, checked, same, moved=False, pointer=place))


def _doubted(part: Part, secret: Secret, kept: Sealed) -> Sealed:
    """Returns the kept secret with what is doubtful about it, which is known of a secret that was sent."""
    return replace(kept, doubt=part.mark.doubt(secret.get_secret_value())) if isinstance(secret, SecretStr) else kept


def _kept(part: Part, text: str, place: str) -> str:
    try:
        return part.mark.read(text)
    except ValueError as error:
        raise Invalid(str(error), place) from None


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _places(channel: ChannelConfig) -> set[str]:
    """Returns the addresses that a stored channel's secrets are sent to."""
    parts = [part for part in PARTS[type(channel)] if part.mark.form is Form.ADDRESS]
    return {text for part in parts for text in _texts(getattr(channel, part.name))}


def _stored_secrets(part: Part, alike: Sequence[ChannelConfig]) -> Iterator[tuple[ChannelConfig, Sealed]]:
    """Yields the secrets of that field, then those of others of its form: a new and a former one may change places."""
    parts = [one for one in PARTS[type(alike[0])] if one.mark.form is part.mark.form] if alike else []
    for one in sorted(parts, key=lambda one: one.name != part.name):
        for channel in alike:
            secret = getattr(channel, one.name)
            if secret is not None:
                yield channel, secret


def _require_web_address(url: str, pointer: str) -> None:
    try:
        parts = urlsplit(url)
        well_formed = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed:
        raise Invalid("write an address such as https://hooks.example.com/services/...", pointer)
    if "@" in parts.netloc:
        raise Invalid("an address has no user or password", pointer)
