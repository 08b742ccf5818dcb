"""The ways out of the process: which addresses may be reached, and what reaches them.

aiohttp and the Slack SDK are imported when Slack is first spoken to: most processes never do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from httpx import AsyncHTTPTransport
from rich.console import Console

from service.adapters.channels.dependencies import Dependencies, OpenConnector, no_controls
from service.adapters.channels.email.settings import require_mail
from service.adapters.channels.factory import ChannelFactory
from service.adapters.channels.slack.controls import controls
from service.adapters.egress.guard import DrillGuard, Guard, parse_networks, trusting
from service.adapters.egress.httpx_transport import open_transport
from service.adapters.heartbeat import HttpHeartbeat
from service.bootstrap.errors import SettingError
from service.bootstrap.secret_key import open_vault
from service.domain.access import parse_group_roles
from service.settings import Settings
from service.workflows.ports.identity import PeopleAccess
from service.workflows.ports.platform import Vault

if TYPE_CHECKING:
    import aiohttp

LOOPBACK = "127.0.0.1"
LAST_PORT = 65535


class Guards(NamedTuple):
    sources: Guard
    receivers: Guard


class Transports(NamedTuple):
    sources: AsyncHTTPTransport
    receivers: AsyncHTTPTransport


def require_sound(settings: Settings) -> None:
    """Raises SettingError for a setting that is wrong whatever the database holds.

    The data folder comes last, where a secret key may be made: what is refused leaves nothing behind.
    """
    guards = open_guards(settings, None)
    open_way(settings, guards.sources)
    receivers = open_way(settings, guards.receivers)
    open_heartbeat(settings, guards.receivers, receivers)
    open_people(settings, receivers)
    _require_mail(settings)
    open_vault(settings)


def open_guards(settings: Settings, simulator_url: str | None) -> Guards:
    """Returns what may be connected to. Sources may also be at the address that the environment gives.

    Without a key that is the simulator's; a process beside `tocsin up` takes it to be at its usual address.
    """
    try:
        receivers = Guard(parse_networks(settings.egress_allow))
    except ValueError as error:
        raise SettingError(f"TOCSIN_EGRESS_ALLOW: {error}") from error
    trusted = [settings.anthropic_base_url]
    if settings.anthropic_admin_key is None:
        trusted.append(simulator_url or loopback_url(simulator_port(settings)))
    try:
        sources = trusting(receivers, trusted)
    except ValueError as error:
        raise SettingError(f"ANTHROPIC_BASE_URL: {error}") from error
    return Guards(sources if settings.clock is None else _drill_guard(settings, sources), receivers)


def _drill_guard(settings: Settings, sources: Guard) -> DrillGuard:
    """Returns the guard of a drill. Raises SettingError where the first source would be a real one."""
    guard = DrillGuard(sources.allowed, sources.trusted)
    objection = guard.objection(settings.anthropic_base_url) if settings.anthropic_admin_key else None
    if objection is not None:
        raise SettingError(f"TOCSIN_CLOCK with ANTHROPIC_ADMIN_KEY: {objection}. Unset one of the two")
    return guard


def simulator_port(settings: Settings) -> int:
    """Returns the port on which `tocsin up` serves the simulator, if it is free."""
    return settings.port + 1 if settings.port < LAST_PORT else settings.port - 1


def loopback_url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def open_way(settings: Settings, guard: Guard) -> AsyncHTTPTransport:
    try:
        return open_transport(guard, settings.proxy)
    except ValueError as error:
        raise SettingError(f"TOCSIN_PROXY: {error}") from error


def open_heartbeat(settings: Settings, guard: Guard, transport: AsyncHTTPTransport) -> HttpHeartbeat | None:
    if settings.heartbeat_url is None:
        return None
    url = settings.heartbeat_url.get_secret_value()
    objection = guard.objection(url)
    if objection is not None:
        raise SettingError(f"TOCSIN_HEARTBEAT_URL: {objection}")
    return HttpHeartbeat(url, transport)


def open_channels(settings: Settings, vault: Vault, guard: Guard, transport: AsyncHTTPTransport) -> ChannelFactory:
    return ChannelFactory(
        Dependencies(
            vault=vault,
            transport=transport,
            connector=slack_connector(settings, guard),
            proxy=settings.proxy,
            smtp_url=_require_mail(settings),
            email_from=settings.email_from,
            terminal=Console(),
            slack_controls=controls if settings.hears_slack else no_controls,
        )
    )


def open_people(settings: Settings, transport: AsyncHTTPTransport) -> PeopleAccess | None:
    """Returns how people sign in by an issuer, None where none is set. Raises SettingError."""
    if settings.oidc_issuer is None:
        return None
    if settings.oidc_client_id is None:
        raise SettingError("TOCSIN_OIDC_CLIENT_ID: TOCSIN_OIDC_ISSUER is set; name the client that it knows")
    if not settings.oidc_roles:
        raise SettingError("TOCSIN_OIDC_ROLES: say which group has which role, such as tocsin-admins=admin; *=viewer")
    from service.adapters.oidc import OidcClient, OidcIssuer

    secret = settings.oidc_client_secret
    client = OidcClient(
        settings.oidc_issuer,
        settings.oidc_client_id,
        secret.get_secret_value() if secret else None,
        settings.oidc_scopes,
    )
    return PeopleAccess(
        OidcIssuer(client, transport), settings.oidc_groups_claim, parse_group_roles(settings.oidc_roles)
    )


def issuer_guard(settings: Settings, receivers: Guard) -> Guard:
    """Returns what an issuer's requests may reach: itself, wherever it is, and what receivers may reach."""
    return receivers if settings.oidc_issuer is None else trusting(receivers, [settings.oidc_issuer])


def _require_mail(settings: Settings) -> str | None:
    """Returns the mail server's address, None where there is none. Raises SettingError."""
    smtp_url = settings.smtp_url.get_secret_value() if settings.smtp_url else None
    try:
        require_mail(smtp_url, settings.email_from)
    except ValueError as error:
        raise SettingError(str(error)) from error
    return smtp_url


def slack_connector(settings: Settings, guard: Guard) -> OpenConnector:
    """Returns how aiohttp, which the Slack SDK speaks, reaches what the guard lets pass."""

    def open_connector() -> aiohttp.BaseConnector:
        from service.adapters.egress.aiohttp_connector import connectors

        return connectors(guard, settings.proxy)()

    return open_connector
