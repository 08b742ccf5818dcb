"""From a channel's JSON to its configuration: secrets are sealed, stubs stand for stored ones, addresses are judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from pydantic import SecretStr

from service.api.http.addresses import require_permitted
from service.api.http.fields import Credentials, Secret, SecretStub
from service.api.http.secrets import sealed, stands_for
from service.api.notify.channel_documents import (
    AlertmanagerIn,
    AnyChannelIn,
    ConsoleIn,
    EmailIn,
    JsmIn,
    PagerDutyIn,
    SlackIn,
    TeamsIn,
    WebhookIn,
)
from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot, SlackWebhook
from service.domain.notify.channels.teams import Teams
from service.domain.notify.channels.webhook import Webhook, signing_key
from service.domain.values.errors import Invalid
from service.domain.values.resources import Sealed
from service.workflows.ports.unit_of_work import Ports


def read_channel(ports: Ports, channel: AnyChannelIn, stored: Sequence[ChannelConfig], pointer: str) -> ChannelConfig:
    """Raises Invalid. A secret stub stands for the secret of a stored channel of its kind."""
    match channel:
        case EmailIn():
            return Email(tuple(channel.to))
        case ConsoleIn():
            return Console()
        case SlackIn(webhook_url=None):
            return _read_bot(ports, channel, stored, pointer)
        case SlackIn():
            return _read_slack_webhook(ports, channel, stored, pointer)
        case _:
            return _read_posting(ports, channel, stored, pointer)


def _read_posting(
    ports: Ports,
    channel: PagerDutyIn | WebhookIn | AlertmanagerIn | TeamsIn | JsmIn,
    stored: Sequence[ChannelConfig],
    pointer: str,
) -> ChannelConfig:
    match channel:
        case PagerDutyIn():
            return _read_pagerduty(ports, channel, stored, pointer)
        case WebhookIn():
            return _read_webhook(ports, channel, stored, pointer)
        case AlertmanagerIn():
            return _read_alertmanager(ports, channel, stored, pointer)
        case TeamsIn():
            hooks = [teams.webhook_url for teams in stored if isinstance(teams, Teams)]
            return Teams(_secret_address(ports, channel.webhook_url, hooks, f"{pointer}/webhook_url"))
        case JsmIn():
            return _read_jsm(ports, channel, stored, pointer)


# ------------------------------------------------------------------------------------------- each kind


def _read_bot(ports: Ports, slack: SlackIn, stored: Sequence[ChannelConfig], pointer: str) -> SlackBot:
    if slack.token is None:
        raise Invalid("Slack needs a token and a channel, or a webhook_url", f"{pointer}/token")
    if slack.channel is None:
        raise Invalid("a Slack token needs the channel to post to", f"{pointer}/channel")
    bots = [bot for bot in stored if isinstance(bot, SlackBot)]
    bots.sort(key=lambda bot: bot.channel != slack.channel)  # the likeliest first
    api_url = slack.api_url.rstrip("/") + "/"
    _permit(ports, api_url, (bot.api_url for bot in bots), f"{pointer}/api_url")
    known = [(bot.token, bot.api_url) for bot in bots]
    token = _secret(ports, slack.token, known, api_url, f"{pointer}/token")
    return SlackBot(token=token, channel=slack.channel, mention=slack.mention, api_url=api_url)


def _read_slack_webhook(ports: Ports, slack: SlackIn, stored: Sequence[ChannelConfig], pointer: str) -> SlackWebhook:
    if slack.token is not None or slack.channel is not None:
        raise Invalid("a webhook_url stands alone: it has its own channel", f"{pointer}/webhook_url")
    assert slack.webhook_url is not None
    hooks = [hook.webhook_url for hook in stored if isinstance(hook, SlackWebhook)]
    return SlackWebhook(_secret_address(ports, slack.webhook_url, hooks, f"{pointer}/webhook_url"), slack.mention)


def _read_pagerduty(ports: Ports, channel: PagerDutyIn, stored: Sequence[ChannelConfig], pointer: str) -> PagerDuty:
    api_url = channel.api_url.rstrip("/")
    known = [(one.routing_key, one.api_url) for one in stored if isinstance(one, PagerDuty)]
    _permit(ports, api_url, (place for _, place in known), f"{pointer}/api_url")
    return PagerDuty(_secret(ports, channel.routing_key, known, api_url, f"{pointer}/routing_key"), api_url)


def _read_jsm(ports: Ports, channel: JsmIn, stored: Sequence[ChannelConfig], pointer: str) -> Jsm:
    api_url = channel.api_url.rstrip("/")
    known = [(one.api_key, one.api_url) for one in stored if isinstance(one, Jsm)]
    _permit(ports, api_url, (place for _, place in known), f"{pointer}/api_url")
    return Jsm(_secret(ports, channel.api_key, known, api_url, f"{pointer}/api_key"), api_url)


def _read_webhook(ports: Ports, channel: WebhookIn, stored: Sequence[ChannelConfig], pointer: str) -> Webhook:
    """A stored secret's stub may stand at `previous_secret`: a rotation needs nobody who knows the old one."""
    hooks = [one for one in stored if isinstance(one, Webhook)]
    _permit(ports, channel.url, (one.url for one in hooks), f"{pointer}/url")
    current = [(one.secret, one.url) for one in hooks]
    former = [(one.previous_secret, one.url) for one in hooks if one.previous_secret is not None]
    secret = _signing_secret(ports, channel.secret, [*current, *former], channel.url, f"{pointer}/secret")
    if channel.previous_secret is None:
        return Webhook(channel.url, secret, format=channel.format)
    place = f"{pointer}/previous_secret"
    previous = _signing_secret(ports, channel.previous_secret, [*former, *current], channel.url, place)
    return Webhook(channel.url, secret, previous, channel.format)


def _signing_secret(
    ports: Ports, secret: Secret, known: Sequence[tuple[Sealed, str]], place: str, pointer: str
) -> Sealed:
    if isinstance(secret, SecretStr):
        try:
            signing_key(secret.get_secret_value())
        except ValueError as error:
            raise Invalid(str(error), pointer) from None
    return _secret(ports, secret, known, place, pointer)


def _read_alertmanager(
    ports: Ports, channel: AlertmanagerIn, stored: Sequence[ChannelConfig], pointer: str
) -> Alertmanager:
    urls = [url.rstrip("/") for url in channel.urls]
    clusters = [one for one in stored if isinstance(one, Alertmanager)]
    known = [url for one in clusters for url in one.urls]
    for position, url in enumerate(urls):
        if url in urls[:position]:
            raise Invalid("this member is listed already", f"{pointer}/urls/{position}")
        _permit(ports, url, known, f"{pointer}/urls/{position}")
    return Alertmanager(tuple(urls), _login(ports, channel.authorization, clusters, urls, f"{pointer}/authorization"))


def _login(
    ports: Ports, login: Credentials | None, clusters: Sequence[Alertmanager], urls: Sequence[str], pointer: str
) -> Sealed | None:
    """A stored one goes to no member that it did not go to before."""
    if login is None:
        return None
    known = [(one.authorization, set(urls) <= set(one.urls)) for one in clusters if one.authorization is not None]
    if isinstance(login, SecretStub):
        known = [(old, stays) for old, stays in known if stands_for(login, old)]
    old, stays = min(known, key=lambda one: not one[1], default=(None, True))
    return sealed(ports.vault, login, old, moved=not stays, pointer=pointer)


# ------------------------------------------------------------------------------------------- what they share


def _permit(ports: Ports, url: str, known: Iterable[str], pointer: str) -> None:
    if url not in set(known):
        require_permitted(ports.egress.receivers, url, pointer)


def _secret(ports: Ports, secret: Secret, known: Sequence[tuple[Sealed, str]], place: str, pointer: str) -> Sealed:
    """The secret to store. `known` are the stored ones, the likeliest first, and where each goes; this place wins."""
    if isinstance(secret, SecretStub):
        known = [(old, address) for old, address in known if stands_for(secret, old)]
    old, address = min(known, key=lambda one: one[1] != place, default=(None, place))
    return sealed(ports.vault, secret, old, moved=address != place, pointer=pointer)


def _secret_address(ports: Ports, secret: Secret, known: Sequence[Sealed], pointer: str) -> Sealed:
    """An address that is itself the secret."""
    if isinstance(secret, SecretStub):
        old = next((one for one in known if stands_for(secret, one)), None)
        return sealed(ports.vault, secret, old, moved=False, pointer=pointer)
    url = secret.get_secret_value()
    _require_web_address(url, pointer)
    # The same address keeps what is stored for it, so that an unchanged document stays unchanged.
    new = ports.vault.seal(url)
    same = next((one for one in known if one.digest == new.digest), None)
    if same is None:
        require_permitted(ports.egress.receivers, url, pointer)
    return same or new


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
