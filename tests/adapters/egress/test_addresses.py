"""Which addresses the guard takes for special, which it lets pass, and what it says."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from service.adapters.egress.addresses import kind_of
from service.adapters.egress.guard import DrillGuard, Endpoint, Guard, parse_networks, trusting
from service.workflows.ports.platform import EgressRefused


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "a loopback address"),
        ("127.255.255.254", "a loopback address"),
        ("::1", "a loopback address"),
        ("10.0.0.1", "a private address"),
        ("172.16.0.1", "a private address"),
        ("172.31.255.255", "a private address"),
        ("192.168.1.1", "a private address"),
        ("fd00:ec2::254", "a private address"),
        ("fec0::1", "a private address"),
        ("169.254.169.254", "a link-local address"),
        ("fe80::1", "a link-local address"),
        ("fe80::1%eth0", "a link-local address"),
        ("100.64.0.1", "a carrier-grade NAT address"),
        ("100.100.100.200", "a carrier-grade NAT address"),
        ("100.127.255.255", "a carrier-grade NAT address"),
        ("0.0.0.0", "an unspecified address"),
        ("0.1.2.3", "an unspecified address"),
        ("::", "an unspecified address"),
        ("224.0.0.1", "a multicast address"),
        ("239.255.255.250", "a multicast address"),
        ("ff02::1", "a multicast address"),
        ("168.63.129.16", "a cloud provider's internal address"),
        ("192.0.0.192", "a reserved address"),
        ("192.0.2.1", "a reserved address"),
        ("198.18.0.1", "a reserved address"),
        ("203.0.113.9", "a reserved address"),
        ("240.0.0.1", "a reserved address"),
        ("255.255.255.255", "a reserved address"),
        ("2001:db8::1", "a reserved address"),
        ("2001:0:53aa:64c::1", "a reserved address"),
        ("4000::1", "a reserved address"),
        ("::ffff:127.0.0.1", "a loopback address"),
        ("::ffff:169.254.169.254", "a link-local address"),
        ("::ffff:10.1.2.3", "a private address"),
        ("::127.0.0.1", "a reserved address"),
        ("::ffff:0:127.0.0.1", "a reserved address"),
        ("64:ff9b::a9fe:a9fe", "a link-local address"),
        ("64:ff9b::7f00:1", "a loopback address"),
        ("64:ff9b:1::1", "a private address"),
        ("2002:7f00:1::", "a loopback address"),
        ("2002:a9fe:a9fe::1", "a link-local address"),
        ("2002:c0a8:101::1", "a private address"),
    ],
)
def test_a_special_address_is_refused_by_its_kind(address: str, kind: str) -> None:
    assert kind_of(ip_address(address)) == kind
    place = Endpoint("some.example", 443)
    with pytest.raises(EgressRefused, match=f"^some.example resolves to [^ ]+, {kind}; list its network in TOCSIN_"):
        Guard().passed(place, [ip_address(address)])


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "160.79.104.10",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2600:1f18::1",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
        "2002:101:101::1",
    ],
)
def test_an_address_of_the_internet_passes(address: str) -> None:
    found = ip_address(address)
    assert Guard().passed(Endpoint("some.example", 443), [found]) == (found,)


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("10.20.30.40", "10.20.0.0/16"),
        ("10.20.30.40", "192.168.0.0/16, 10.20.30.40"),
        ("::ffff:10.20.30.40", "10.20.0.0/16"),
        ("64:ff9b::a14:1e28", "10.20.0.0/16"),
        ("fd12::1", "10.0.0.0/8,fd12::/16"),
        ("127.0.0.1", "127.0.0.0/8"),
        ("169.254.169.254", "0.0.0.0/0"),
    ],
)
def test_a_listed_network_may_be_reached(address: str, networks: str) -> None:
    found = ip_address(address)
    assert Guard(parse_networks(networks)).passed(Endpoint("some.example", 443), [found]) == (found,)


def test_a_neighbour_of_a_listed_network_may_not_be_reached() -> None:
    with pytest.raises(EgressRefused):
        Guard(parse_networks("10.20.0.0/16")).passed(Endpoint("some.example", 443), [ip_address("10.21.0.1")])


def test_of_several_addresses_only_those_that_may_be_reached_are_left() -> None:
    addresses = [ip_address(text) for text in ("::1", "1.1.1.1", "10.0.0.1", "2606:4700::1")]
    assert Guard().passed(Endpoint("some.example", 443), addresses) == (addresses[1], addresses[3])


@pytest.mark.parametrize(
    ("host", "shown", "kind"),
    [
        ("127.0.0.1", "127.0.0.1", "a loopback address"),
        ("127.0.0.1.", "127.0.0.1.", "a loopback address"),
        ("[::1]", "::1", "a loopback address"),
        ("[::ffff:7f00:1]", "::ffff:7f00:1", "a loopback address"),
        ("169.254.169.254", "169.254.169.254", "a link-local address"),
        ("10.0.0.5:8080", "10.0.0.5", "a private address"),
        ("127.1", "127.1", "a loopback address"),
        ("2130706433", "2130706433", "a loopback address"),
        ("0x7f.0.0.1", "0x7f.0.0.1", "a loopback address"),
        ("0177.0.0.1", "0177.0.0.1", "a loopback address"),
        ("0", "0", "an unspecified address"),
        ("localhost", "localhost", "a loopback address"),
        ("LocalHost.", "localhost.", "a loopback address"),
        ("api.localhost:81", "api.localhost", "a loopback address"),
        ("ip6-localhost", "ip6-localhost", "a loopback address"),
    ],
)
def test_a_url_that_shows_where_it_leads_is_objected_to(host: str, shown: str, kind: str) -> None:
    words = f"{shown} is {kind}; list its network in TOCSIN_EGRESS_ALLOW to allow it"
    assert Guard().objection(f"https://{host}/some/path") == words


@pytest.mark.parametrize("host", ["slack.com", "8.8.8.8", "localhost.example", "notlocalhost", "[2606:4700::1]"])
def test_a_url_that_does_not_is_judged_later(host: str) -> None:
    assert Guard().objection(f"https://{host}/some/path") is None


@pytest.mark.parametrize(
    "url", ["ftp://1.1.1.1/", "file:///etc/passwd", "//1.1.1.1/", "http://", "http://[::1", "http://%31%32%37.0.0.1/"]
)
def test_only_web_addresses_are_addresses(url: str) -> None:
    assert Guard().objection(url) == "this is not an http or https address"


def test_localhost_may_be_used_where_one_of_its_addresses_is_listed() -> None:
    assert Guard(parse_networks("127.0.0.0/8")).objection("http://localhost:9093") is None


def test_a_trusted_place_is_trusted_on_its_own_port_alone() -> None:
    guard = trusting(Guard(), ["http://127.0.0.1:8401/", "https://proxy.internal"])
    assert guard.objection("http://127.0.0.1:8401/v1/organizations/me") is None
    assert guard.objection("http://127.0.0.1:5432") is not None
    assert guard.objection("http://127.0.0.2:8401") is not None
    inside = [ip_address("10.0.0.1")]
    assert guard.passed(Endpoint("proxy.internal", 443), inside) == tuple(inside)
    with pytest.raises(EgressRefused):
        guard.passed(Endpoint("proxy.internal", 80), inside)


@pytest.mark.parametrize("bad", ["10.0.0.0/33", "10.0.0.5/8", "internal", "10.0.0.0/8;fd00::/8", "::1/129"])
def test_a_bad_network_is_named(bad: str) -> None:
    with pytest.raises(ValueError, match=bad.split("/", maxsplit=1)[0]):
        parse_networks(f"192.168.0.0/16, {bad}")


def test_no_networks_are_no_error() -> None:
    assert parse_networks(" , ") == ()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8401", "http://localhost:8401", "http://[::1]:8401"])
def test_a_drill_s_source_may_be_on_this_machine(url: str) -> None:
    sources = trusting(Guard(), [url])
    assert DrillGuard(sources.allowed, sources.trusted).objection(url) is None
    assert DrillGuard().objection(url) is not None, "what is neither listed nor trusted is not"


@pytest.mark.parametrize("host", ["api.anthropic.com", "10.1.2.3", "8.8.8.8", "simulator"])
def test_a_drill_s_source_is_nowhere_else_however_it_is_listed_or_trusted(host: str) -> None:
    sources = trusting(Guard(parse_networks("0.0.0.0/0")), [f"https://{host}"])
    guard = DrillGuard(sources.allowed, sources.trusted)
    assert "off this machine; while TOCSIN_CLOCK is set" in (guard.objection(f"https://{host}") or "")
    with pytest.raises(EgressRefused, match="off this machine"):
        guard.passed(Endpoint(host, 443), [ip_address("8.8.8.8")])
