"""The guard at work: real connections of httpx, of the source that uses it, and of slack-sdk, to a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

import httpx
import pytest
from aiohttp import TCPConnector

from service.adapters.channels.slack.bot import SlackBotChannel
from service.adapters.channels.slack.webhook import SlackWebhookChannel
from service.adapters.claude.connector import ClaudeConnector
from service.adapters.egress.addresses import IPAddress
from service.adapters.egress.aiohttp_connector import connectors
from service.adapters.egress.guard import Guard, parse_networks, trusting
from service.adapters.egress.httpx_transport import open_transport
from service.adapters.egress.resolving import look_up
from service.adapters.vault import FernetVault
from service.domain.notify.channels.slack import SlackBot, SlackWebhook
from service.domain.notify.circuits import Concern
from service.domain.sources.source import Source, SourceKind
from service.workflows.ports.channels import Channel, DeliveryError
from service.workflows.ports.platform import EgressRefused
from service.workflows.ports.sources import SourceError
from tests.adapters.claude.scripted_admin_api import QUICK, Answer, ScriptedAdminApi, scripted_admin_api
from tests.fakes.slack import TOKEN, FakeSlack
from tests.sample_alerts import delivery

VAULT = FernetVault("FAKE key of the tests")
NAME = "somewhere.test"
STRICT = Guard()
LISTED = Guard(parse_networks("127.0.0.1/32"))
ADVICE = "list its network in TOCSIN_EGRESS_ALLOW to allow it"
LITERALS = ["127.0.0.1", "127.1", "2130706433", "0x7f000001"]


@dataclass
class Answers:
    """A resolver that knows one name: its answers in turn, the last one from then on."""

    answers: Sequence[str]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[IPAddress]:
        if host != NAME:
            return await look_up(host, port)
        self.asked.append(host)
        position = min(len(self.asked), len(self.answers)) - 1
        return [ip_address(text) for text in self.answers[position].split()]


@dataclass
class Server:
    """Counts connections, and answers each with its Host header, or with a redirect where one is set."""

    port: int = 0
    connections: int = 0
    redirect: str | None = None

    def url(self, host: str) -> str:
        return f"http://{host}:{self.port}/"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        head = (await reader.readuntil(b"\r\n\r\n")).decode() if not reader.at_eof() else ""
        host = next(line[6:] for line in head.split("\r\n") if line.lower().startswith("host: "))
        status = f"307 Moved\r\nLocation: {self.redirect}" if self.redirect else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(host)}\r\nConnection: close\r\n\r\n{host}".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as one:
        yield one


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield server


@asynccontextmanager
async def client(guard: Guard, *answers: str, proxy: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    transport = open_transport(guard, proxy, Answers(answers or ("127.0.0.1",)))
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=5) as http:
        yield http


# ------------------------------------------------------------------------------------------- httpx


@pytest.mark.parametrize("host", [*LITERALS, "localhost"])
async def test_httpx_does_not_connect_to_a_literal_or_local_address(server: Server, host: str) -> None:
    async with client(STRICT) as http:
        with pytest.raises(EgressRefused, match=f"{host} is a loopback address; {ADVICE}"):
            await http.get(server.url(host))
    assert server.connections == 0


async def test_httpx_does_not_connect_to_a_name_that_leads_inside(server: Server) -> None:
    async with client(STRICT) as http:
        words = f"{NAME} resolves to 127.0.0.1, a loopback address; {ADVICE}"
        with pytest.raises(EgressRefused, match=words):
            await http.get(server.url(NAME))
    assert server.connections == 0


async def test_httpx_connects_to_a_listed_network_and_keeps_the_name_in_the_host_header(server: Server) -> None:
    async with client(LISTED) as http:
        answer = await http.get(server.url(NAME))
    assert answer.text == f"{NAME}:{server.port}"


async def test_httpx_connects_to_the_very_address_that_was_checked(server: Server) -> None:
    """A name is asked for once a connection. Asked again, this one would lead where nothing answers."""
    resolve = Answers(["127.0.0.1", "127.0.0.2"])
    async with httpx.AsyncClient(transport=open_transport(LISTED, None, resolve), trust_env=False) as http:
        assert (await http.get(server.url(NAME))).status_code == 200
    assert resolve.asked == [NAME]


async def test_a_name_that_has_passed_is_refused_as_soon_as_it_leads_elsewhere(server: Server) -> None:
    async with client(LISTED, "127.0.0.1", "127.0.0.2") as http:
        await http.get(server.url(NAME))
        with pytest.raises(EgressRefused, match=r"127\.0\.0\.2, a loopback address"):
            await http.get(server.url(NAME))
    assert server.connections == 1


async def test_httpx_passes_over_refused_addresses_and_ones_where_nobody_answers(server: Server) -> None:
    guard = Guard(parse_networks("127.0.0.1, 127.0.0.3"))
    async with client(guard, "::1 127.0.0.3 127.0.0.1") as http:
        assert (await http.get(server.url(NAME))).status_code == 200


async def test_an_address_where_nobody_listens_is_an_ordinary_connection_error() -> None:
    async with serving() as gone:
        pass
    async with client(LISTED) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(gone.url(NAME))


@pytest.mark.parametrize("host", ["nobody.invalid", "a" * 64 + ".test"])
async def test_a_name_without_an_address_is_an_ordinary_connection_error(host: str) -> None:
    async with client(STRICT) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"http://{host}/")


async def test_a_name_server_that_says_nothing_is_an_ordinary_timeout(server: Server) -> None:
    async def silent(host: str, port: int) -> Sequence[IPAddress]:
        await asyncio.Event().wait()
        return ()

    async with httpx.AsyncClient(transport=open_transport(LISTED, None, silent), timeout=0.05) as http:
        with pytest.raises(httpx.ConnectTimeout, match="not resolved in time"):
            await http.get(server.url(NAME))


async def test_a_trusted_place_may_be_inside(server: Server) -> None:
    async with client(trusting(STRICT, [server.url(NAME)])) as http:
        assert (await http.get(server.url(NAME))).status_code == 200
        with pytest.raises(EgressRefused):
            await http.get(server.url("127.0.0.1"))


async def test_the_certificate_is_asked_for_by_name(server: Server) -> None:
    """No certificate is here, but the name that TLS is started with can be seen on the wire."""
    hello = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello.set_result(await reader.read(4096))
        writer.close()

    listener = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with listener, client(LISTED) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"https://{NAME}:{listener.sockets[0].getsockname()[1]}/")
    assert NAME.encode() in await hello


# ------------------------------------------------------------------------------------------- sources


async def organization(api: ScriptedAdminApi, guard: Guard, base_url: str) -> str:
    source = Source(SourceKind.CLAUDE_ADMIN, base_url, VAULT.seal("sk-ant-admin01-FAKE"))
    api.will(Answer(body=b'{"id": "org_FAKE", "name": "Example Inc", "type": "organization"}'))
    async with (
        open_transport(guard, None, Answers(["127.0.0.1"])) as transport,
        ClaudeConnector(VAULT, transport, limits=QUICK).connect(source) as reader,
    ):
        return (await reader.organization()).id


@pytest.mark.parametrize("host", ["127.0.0.1", NAME])
async def test_a_source_inside_is_not_read_and_not_tried_again(host: str) -> None:
    async with scripted_admin_api() as api:
        url = api.url.replace("127.0.0.1", host)
        with pytest.raises(SourceError, match=ADVICE) as caught:
            await organization(api, STRICT, url)
        assert not caught.value.retryable
        assert host in str(caught.value)
        assert api.asked == []
        assert await organization(api, LISTED, url) == "org_FAKE"


# ------------------------------------------------------------------------------------------- slack-sdk

Opening = Callable[[FakeSlack, str, Callable[[], TCPConnector], str | None], Channel]


def bot(slack: FakeSlack, host: str, connector: Callable[[], TCPConnector], proxy: str | None) -> Channel:
    config = SlackBot(VAULT.seal(TOKEN), "#claude-spend", "", slack.api_url.replace("127.0.0.1", host))
    return SlackBotChannel(config, VAULT, connector, proxy)


def webhook(slack: FakeSlack, host: str, connector: Callable[[], TCPConnector], proxy: str | None) -> Channel:
    url = slack.webhook_url.replace("127.0.0.1", host)
    return SlackWebhookChannel(SlackWebhook(VAULT.seal(url)), VAULT, connector, proxy)


both = pytest.mark.parametrize("channel", [bot, webhook])


@both
@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f000001", "localhost", NAME])
async def test_slack_inside_is_not_called_and_not_tried_again(channel: Opening, host: str) -> None:
    async with FakeSlack() as slack:
        refusing = channel(slack, host, connectors(STRICT, None, Answers(["127.0.0.1"])), None)
        with pytest.raises(DeliveryError, match=f"a loopback address; {ADVICE}") as caught:
            await refusing.send(delivery())
        assert caught.value.concerns is not Concern.MOMENT
        assert "FAKE" not in caught.value.reason
        assert slack.calls == []


@both
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", NAME])
async def test_slack_in_a_listed_network_is_called(channel: Opening, host: str) -> None:
    async with FakeSlack() as slack:
        await channel(slack, host, connectors(LISTED, None, Answers(["::1 127.0.0.1"])), None).send(delivery())
        assert len(slack.posted) == 1


@both
async def test_slack_is_called_at_the_very_address_that_was_checked(channel: Opening) -> None:
    async with FakeSlack() as slack:
        resolve = Answers(["127.0.0.1", "127.0.0.2"])
        one = channel(slack, NAME, connectors(LISTED, None, resolve), None)
        await one.send(delivery())
        assert resolve.asked == [NAME]
        with pytest.raises(DeliveryError, match=r"127\.0\.0\.2, a loopback address"):
            await one.send(delivery())
        assert len(slack.posted) == 1


@both
@pytest.mark.parametrize("host", ["127.1", "2130706433", "999.9.9.9", "[::ffff:127.1]"])
async def test_digits_and_dots_that_are_no_whole_address_are_refused_even_where_they_would_be_listed(
    channel: Opening, host: str
) -> None:
    async with FakeSlack() as slack:
        with pytest.raises(DeliveryError) as caught:
            await channel(slack, host, connectors(LISTED, None), None).send(delivery())
        assert caught.value.concerns is not Concern.MOMENT
        assert slack.calls == []


# ------------------------------------------------------------------------------------------- TOCSIN_PROXY


async def test_httpx_leaves_names_to_the_proxy_wherever_that_is(server: Server) -> None:
    async with client(STRICT, proxy=server.url("127.0.0.1")) as http:
        assert (await http.get(f"http://{NAME}/")).text == NAME


@pytest.mark.parametrize("host", [*LITERALS, "localhost", "169.254.169.254", "[::ffff:10.0.0.1]"])
async def test_httpx_asks_no_proxy_for_a_literal_private_address(server: Server, host: str) -> None:
    async with client(STRICT, proxy=server.url("127.0.0.1")) as http:
        with pytest.raises(EgressRefused, match=ADVICE):
            await http.get(f"http://{host}/")
    assert server.connections == 0


@both
async def test_slack_sdk_leaves_names_to_the_proxy_and_asks_it_for_no_private_address(channel: Opening) -> None:
    async with FakeSlack() as slack, serving() as proxy:
        url = proxy.url("127.0.0.1")
        proxy.redirect = "http://elsewhere.test/"  # an answer that no channel takes for Slack's
        with pytest.raises(DeliveryError) as caught:
            await channel(slack, NAME, connectors(STRICT, url), url).send(delivery())
        assert proxy.connections >= 1
        assert ADVICE not in caught.value.reason
        proxy.connections = 0
        with pytest.raises(DeliveryError, match=ADVICE) as caught:
            await channel(slack, "169.254.169.254", connectors(STRICT, url), url).send(delivery())
        assert caught.value.concerns is not Concern.MOMENT
        assert proxy.connections == 0


async def test_a_request_that_would_pass_the_proxy_by_is_refused() -> None:
    async with FakeSlack() as slack:
        with pytest.raises(DeliveryError, match="would not use it"):
            await bot(slack, NAME, connectors(STRICT, "http://127.0.0.1:9"), None).send(delivery())


# ------------------------------------------------------------------------------------------- redirects


async def test_a_redirect_leads_nowhere(server: Server) -> None:
    async with serving() as inside:
        server.redirect = inside.url("127.0.0.1")
        async with client(LISTED) as http:
            assert (await http.get(server.url(NAME))).status_code == 307
        assert inside.connections == 0


async def test_a_redirect_that_is_followed_is_judged_like_any_address(server: Server) -> None:
    """Nothing in the product follows redirects; the guard does not depend on it."""
    async with serving() as inside:
        server.redirect = inside.url("127.0.0.2")
        async with client(LISTED) as http:
            with pytest.raises(EgressRefused, match=r"127\.0\.0\.2 is a loopback address"):
                await http.get(server.url(NAME), follow_redirects=True)
        assert inside.connections == 0
