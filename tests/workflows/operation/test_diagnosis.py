"""`tocsin doctor` finds what keeps people from hearing of anything, and says what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.notify.channels.console import Console
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.circuits import FailingChannel
from service.domain.notify.receivers import Receiver, channel_key
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.undelivered import Backlog
from service.domain.sources.source import SourceKind, SourceState
from service.workflows.configuration.engine import SYSTEM, Author
from service.workflows.configuration.probe import run_test_receiver
from service.workflows.operation.command_line import Check
from service.workflows.operation.diagnosis import SKEW, Installation, check_clock, diagnose, run_diagnose
from service.workflows.operation.lateness import Late, Work
from service.workflows.ports.operation import Arrears, Behind
from tests.factories import SEALED, claude_source, resource, utc
from tests.workflows.yard import Yard

NOW = utc("2026-11-16T12:00")
STATE = SourceState("src_1", 1, NOW, cost_read_at=NOW - timedelta(minutes=3))
PAGER = PagerDuty(routing_key=SEALED)
ONCALL = resource("rcv_1", Receiver((PAGER,)), name="eng-oncall")
TERMINAL = resource("rcv_2", Receiver((Console(),)), name="console")
SOURCE = resource("src_1", claude_source(), name="acme")
WELL = Installation(
    now=NOW,
    sources=[(SOURCE, STATE)],
    receivers=[ONCALL],
    routes=RouteTable((Route("rcv_1"),)),
    known={"team": {"eng"}},
    deliveries={("rcv_1", channel_key(PAGER)): NOW - timedelta(days=1)},
    failing=[],
    waiting=[],
    late=[],
    watches=True,
    public_url="https://tocsin.example.com",
)
WAITING = Backlog("rcv_1", channel_key(PAGER), NOW, 3, "ConnectError")
FAILING = FailingChannel("rcv_1", channel_key(PAGER), NOW, "403: the key is revoked", dead=2)
LATE = Late(Work.POLLS, Arrears(1, (Behind("acme", NOW),)), timedelta(minutes=5))
TEAM = Route("rcv_1", (Matcher("team", Op.EQUAL, "enq"),))
STALE = replace(STATE, failures=5, failing_since=NOW, last_error="401: the key was revoked")


def ill(found: Installation) -> list[Check]:
    return [one for one in diagnose(found) if one.problem]


def test_an_installation_that_is_well_has_nothing_to_do() -> None:
    assert ill(WELL) == []


@pytest.mark.parametrize(
    ("found", "subject", "said", "step", "is_doubt"),
    [
        (replace(WELL, sources=[]), "sources", "no organisation", "ANTHROPIC_ADMIN_KEY", False),
        (
            replace(WELL, sources=[(replace(SOURCE, spec=replace(SOURCE.spec, kind=SourceKind.SIMULATOR)), STATE)]),
            "sources",
            "all are simulated",
            "POST /v1/sources",
            True,
        ),
        (
            replace(WELL, sources=[(SOURCE, STALE)]),
            "freshness of acme",
            "401: the key was revoked",
            "tocsin poll src_1",
            False,
        ),
        (
            replace(WELL, sources=[(SOURCE, replace(STATE, cost_read_at=None))]),
            "freshness of acme",
            "not read yet",
            "tocsin poll src_1",
            True,
        ),
        (replace(WELL, watches=False), "budgets and rules", "nothing fires", "POST /v1/budgets", False),
        (
            replace(WELL, deliveries={}),
            "delivery to eng-oncall (pagerduty)",
            "nothing was ever delivered",
            "/v1/receivers/rcv_1/test",
            True,
        ),
        (
            replace(WELL, failing=[FAILING]),
            "delivery to eng-oncall (pagerduty)",
            "403: the key is revoked",
            "/v1/receivers/rcv_1/test",
            False,
        ),
        (
            replace(WELL, waiting=[WAITING]),
            "delivery to eng-oncall (pagerduty)",
            "3 waiting since 12:00 UTC, Mon 16 Nov: ConnectError",
            "/v1/receivers/rcv_1/test",
            False,
        ),
        (replace(WELL, routes=RouteTable(())), "routes", "nobody is notified", "PUT /v1/routes", False),
        (
            replace(WELL, routes=RouteTable((Route("rcv_gone"),))),
            "route 1, the default",
            "leads nowhere: its receiver is gone",
            "PUT /v1/routes",
            False,
        ),
        (
            replace(WELL, routes=RouteTable((TEAM, Route("rcv_1")))),
            "route 1",
            "no alert has team='enq' so far; the nearest: eng",
            "/v1/routes/match",
            True,
        ),
        (
            replace(WELL, public_url="http://127.0.0.1:8400"),
            "links in messages",
            "this machine alone",
            "TOCSIN_PUBLIC_URL",
            True,
        ),
        (replace(WELL, late=[LATE]), "late polls", "1 late, the oldest (acme)", "a worker runs", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_named_with_what_to_do(
    found: Installation, subject: str, said: str, step: str, is_doubt: bool
) -> None:
    (check,) = ill(found)
    assert (check.subject, check.is_doubt) == (subject, is_doubt)
    assert said in (check.problem or "")
    assert step in check.next_step


def test_a_route_to_a_terminal_alone_is_in_doubt_and_one_with_no_channels_leads_nowhere() -> None:
    terminal = replace(WELL, receivers=[TERMINAL], routes=RouteTable((Route("rcv_2"),)))
    assert [(one.subject, one.is_doubt) for one in ill(terminal)] == [
        ("delivery to console (console)", True),
        ("route 1, the default", True),
    ]
    (empty,) = ill(replace(WELL, receivers=[replace(ONCALL, spec=Receiver(()))]))
    assert empty.problem == "leads nowhere: eng-oncall has no channels"


def test_a_clock_that_is_off_is_said_with_its_direction() -> None:
    assert check_clock(NOW, NOW + SKEW).problem is None
    assert (check_clock(NOW, NOW + timedelta(minutes=2)).problem or "").startswith("120 s ahead of the database's")
    assert (check_clock(NOW, NOW - timedelta(minutes=2)).problem or "").startswith("120 s behind the database's")


async def test_a_message_or_a_test_that_a_channel_took_is_its_proof(yard: Yard) -> None:
    async def unproven() -> list[str]:
        async with yard.ports.uow() as uow:
            here = await uow.diagnostics.real_now()
        checks = await run_diagnose(yard.ports, lambda: here)
        assert checks[0].problem is None, "the clock"
        return [one.subject for one in checks if one.subject.startswith("delivery to") and one.problem]

    async with yard.ports.uow() as uow:
        (receiver,) = await uow.receivers.all()
    assert len(await unproven()) == len(receiver.spec.channels)
    await run_test_receiver(yard.ports, receiver.id, Author(SYSTEM, yard.clock()))
    assert await unproven() == []
