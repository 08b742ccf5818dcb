"""A simulated month in which processes and database are killed hundreds of times, and what it must not change.

    python benchmarks/chaos.py                      # 20 minutes: 30 days, 200 kills, 10 crashes of the database
    python benchmarks/chaos.py --days 2 --seconds 15 --kills 10 --crashes 1 --workers 2 --apis 1   # under a minute

Workers and API processes run on one PostgreSQL of their own, with clocks that differ by seconds; all is on this
machine. Upstream and receivers fail by a schedule that the seed draws. Half of the kills wait for a message to arrive
and hit its sender. Afterwards all is quiet until every period that can close has closed, and an oracle that knows
nothing but what was spent says which alerts must be there. Exit code 1, with the differences, where they are not.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from machine import free_port
from stress.fleet import MOST_AHEAD, Database, Fleet, Start, environment, running
from stress.oracle import foretell, truth_of
from stress.organisation import organisation
from stress.people import TOKEN, People, set_up_receivers, set_up_source
from stress.plan import CLOSING, HOUR, START, Plan, Times
from stress.receivers import Receivers, open_receivers
from stress.upstream import Upstream, open_upstreams
from stress.verdict import (
    Verdict,
    judge_alerts,
    judge_answers,
    judge_duplicates,
    judge_messages,
    judge_spend,
    judge_stale,
    read_alerts,
)

from service.adapters.postgres.clock_anchor import anchor_clock
from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.migrate import upgrade
from service.domain.values.clocks import BusinessClock

BEFORE = 6.0
"""Real seconds of a quiet machine in which sources are made and read, before the first day begins."""
PATIENCE = 90.0
MEASURED = 0.5
AIM_FOR = 5.0
"""Real seconds for which a kill waits for a message."""
QUIET = 0.5
TICKS = 8.0
"""Real seconds in which workers have ticked, and evaluated what is due: half a day is less at a high speed."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs."""

    plan: Plan
    times: Times
    fleet: Fleet
    receivers: Receivers
    people: People
    upstreams: list[Upstream]

    @property
    def end(self) -> datetime:
        return self.upstreams[0].organisation.end


def arguments() -> tuple[Plan, Path | None]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of all that is drawn")
    parser.add_argument("--days", type=int, default=30, help="simulated")
    parser.add_argument("--seconds", type=float, default=900.0, help="of real time for them")
    parser.add_argument("--kills", type=int, default=200, help="of workers and API processes, by SIGKILL")
    parser.add_argument("--crashes", type=int, default=10, help="of the database")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--apis", type=int, default=2)
    parser.add_argument("--organisations", type=int, default=2)
    parser.add_argument("--lease", type=float, default=36.0, help="real seconds until a dead sender's message is taken")
    parser.add_argument(
        "--folder", type=Path, help="of database and logs, which stay; otherwise all is gone afterwards"
    )
    asked = vars(parser.parse_args())
    folder = asked.pop("folder")
    return Plan(**asked, share=share_of_a_core()), folder


def share_of_a_core() -> float:
    """How much of a core this process gets just now: on a busy machine real time has to be longer."""
    began, worked = time.perf_counter(), time.process_time()
    while time.process_time() - worked < MEASURED:
        pass
    return MEASURED / max(MEASURED, time.perf_counter() - began)


# ------------------------------------------------------------------------------------------- the stage


@asynccontextmanager
async def opened(plan: Plan, folder: Path) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        database = Database(folder)
        stack.callback(database.stop)
        await asyncio.to_thread(database.start)
        await asyncio.to_thread(upgrade, database.url)
        times = await _anchored(database.url, plan)
        fleet = Fleet([], [], [], database, random.Random(f"{plan.seed}/fleet"))
        receivers = await stack.enter_async_context(open_receivers(plan.seed, fleet.sender_of))
        _fill(fleet, plan, folder, {"TOCSIN_DATABASE_URL": database.url, "TOCSIN_SMTP_URL": receivers.smtp_url})
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=15))
        people = People(fleet.ports, random.Random(f"{plan.seed}/people"), client, PATIENCE / plan.share)
        await stack.enter_async_context(running(fleet))
        await set_up_receivers(people, receivers)
        first = plan.midnight_after(times.now() + plan.slowed(BEFORE))
        organisations = [organisation(n, plan.seed, first, plan.days) for n in range(plan.organisations)]
        upstreams = await stack.enter_async_context(open_upstreams(organisations, times))
        for upstream in upstreams:
            await set_up_source(people, upstream, plan)
        await _have_been_read(people)
        if times.now() >= first:
            raise SystemExit("the machine is too busy: no source was read before the first day; give more --seconds")
        yield Stage(plan, times, fleet, receivers, people, upstreams)


async def _have_been_read(people: People) -> None:
    read = False
    while not read:
        await asyncio.sleep(QUIET)
        read = all(one["status"]["last_success_at"] for one in await people.every("/sources"))


async def _anchored(url: str, plan: Plan) -> Times:
    """Business time, as every process of the product will read it."""
    now = datetime.now(UTC)
    engine = create_engine(url)
    try:
        await anchor_clock(engine, plan.clock, BusinessClock(now, START, plan.speed))
    finally:
        await engine.dispose()
    return Times(now, plan.speed)


def _fill(fleet: Fleet, plan: Plan, folder: Path, settings: dict[str, str]) -> None:
    common = settings | {
        "TOCSIN_SECRET_KEY": "a secret key of no value",
        "TOCSIN_ADMIN_TOKEN": TOKEN,
        "TOCSIN_CLOCK": plan.clock,
        "TOCSIN_EMAIL_FROM": "tocsin@example.com",
        "TOCSIN_EGRESS_ALLOW": "127.0.0.0/8",
        "TOCSIN_LOG_FORMAT": "json",
    }
    fleet.ports += [free_port() for _ in range(plan.apis)]
    for kind, number, members in (("worker", plan.workers, fleet.workers), ("api", plan.apis, fleet.apis)):
        for place in range(number):
            ahead = fleet.drawn.uniform(-MOST_AHEAD, MOST_AHEAD) / plan.speed
            own = environment(common | {"TOCSIN_PORT": str(fleet.ports[place] if kind == "api" else 8400)})
            start = Start(kind, ahead, plan.real_lease)
            fleet.add(members, f"{kind} {place}", start, own, folder / f"{kind}-{place}.log")


# ------------------------------------------------------------------------------------------- the month


async def live_through(stage: Stage) -> None:
    """The days, with all that goes wrong in them."""
    plan, seed = stage.plan, stage.plan.seed
    trouble: list[Coroutine[object, object, None]] = [
        stage.receivers.go_down_now_and_then(),
        *(one.fail(stage.times, random.Random(f"{seed}/{one.organisation.name}")) for one in stage.upstreams),
    ]
    lasting = [asyncio.create_task(one) for one in trouble]
    answering = asyncio.create_task(stage.people.acknowledge_now_and_then())
    seconds = stage.times.until(stage.end)
    drawn = random.Random(f"{seed}/kills")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_kill(stage, drawn, [drawn.uniform(0, seconds) for _ in range(plan.kills)]))
        tasks.create_task(_crash(stage, [drawn.uniform(0, seconds) for _ in range(plan.crashes)]))
        tasks.create_task(_watch(stage, [*lasting, answering]))
    stage.people.go_home()
    await answering
    for task in lasting:
        task.cancel()
    await asyncio.gather(*lasting, return_exceptions=True)


async def _kill(stage: Stage, drawn: random.Random, moments: list[float]) -> None:
    """SIGKILLs at these moments, or as soon as somebody is at work; every other one hits the sender of a message."""
    begun, fleet = asyncio.get_running_loop().time(), stage.fleet
    for number, moment in enumerate(sorted(moments)):
        await asyncio.sleep(max(0.0, begun + moment - asyncio.get_running_loop().time()))
        if number % 2 and await _kill_a_sender(stage):
            continue
        killed = False
        while not killed:
            killed = fleet.kill(drawn.choice(fleet.members), "at any time")
            await asyncio.sleep(0 if killed else QUIET)


async def _kill_a_sender(stage: Stage) -> bool:
    queue = stage.receivers.arrived
    while not queue.empty():
        queue.get_nowait()
    try:
        arrival = await asyncio.wait_for(queue.get(), AIM_FOR)
    except TimeoutError:
        return False
    return stage.fleet.kill_process(arrival.pid, "as its message arrived")


async def _crash(stage: Stage, moments: list[float]) -> None:
    begun = asyncio.get_running_loop().time()
    for moment in sorted(moments):
        await asyncio.sleep(max(0.0, begun + moment - asyncio.get_running_loop().time()))
        await stage.fleet.crash_database()


async def _watch(stage: Stage, lasting: list[asyncio.Task[None]]) -> None:
    """Says how far it is. Raises what has broken the chaos itself."""
    while (left := stage.times.until(stage.end)) > 0:
        await asyncio.sleep(min(left, 30.0))
        for task in lasting:
            if task.done():
                task.result()
        dead, crashes = sum(one.killed for one in stage.fleet.members), stage.fleet.crashes
        print(f"  {stage.times.now():%d %B %H:%M}: {dead} kills, {crashes} crashes", flush=True)


# ------------------------------------------------------------------------------------------- the end


async def settle(stage: Stage) -> None:
    """Nothing goes wrong any more: waits until periods have closed, sources are read and messages are out."""
    stage.receivers.is_quiet = True
    for upstream in stage.upstreams:
        upstream.faults.clear()
    await asyncio.sleep(stage.times.until(stage.end + CLOSING))
    await asyncio.sleep(max(TICKS, stage.times.until(stage.end + CLOSING + 12 * HOUR)))
    for alert in await stage.people.every("/alerts?state=firing"):
        await stage.people.acknowledge(alert["id"])
    calm = 0
    while calm < 3:
        await asyncio.sleep(QUIET)
        calm = calm + 1 if await _is_calm(stage) else 0


async def _is_calm(stage: Stage) -> bool:
    people = stage.people
    queued = (await people.ask("GET", "/notifications?state=queued&limit=1")).json()["items"]
    sources = (await people.ask("GET", "/sources")).json()["items"]
    failing = [one for one in sources if one["status"]["failures"] or one["status"]["last_error"]]
    return not queued and not failing


async def judge(stage: Stage) -> Verdict:
    verdict, people = Verdict(), stage.people
    at = stage.times.now()
    alerts, notifications = await read_alerts(people), await people.every("/notifications")
    truths = {one.organisation.name: await asyncio.to_thread(truth_of, one.organisation) for one in stage.upstreams}
    judge_alerts(verdict, alerts, [foretell(name, truth, at) for name, truth in truths.items()])
    outages = [one.outage for one in stage.upstreams if one.outage is not None]
    judge_stale(verdict, alerts, outages)
    judge_answers(verdict, alerts, people)
    judge_messages(verdict, alerts, notifications, stage.receivers.arrivals)
    judge_duplicates(verdict, stage.receivers.arrivals, stage.fleet.deaths, stage.plan.real_lease)
    for name, truth in truths.items():
        await judge_spend(verdict, people, name, truth)
    return verdict


def show(stage: Stage, verdict: Verdict) -> None:
    fleet = stage.fleet
    hows = Counter(death.how for death in fleet.deaths)
    print(
        f"\nSeed {stage.plan.seed}: {stage.plan.days} days at {stage.plan.speed:,.0f} times the speed, "
        f"with {stage.plan.share:.0%} of a core"
    )
    killed = {
        kind: sum(one.killed for one in members) for kind, members in (("workers", fleet.workers), ("APIs", fleet.apis))
    }
    print(f"  killed: {killed['workers']} workers, {killed['APIs']} APIs; {fleet.crashes} crashes of the database")
    for how, number in sorted(hows.items()):
        print(f"    {how}: {number}")
    print(f"  processes that ended by themselves: {sum(one.ended for one in fleet.members)}")
    print(f"  requests sent again: {stage.people.repeated}")
    for what, number in sorted(verdict.counts.items()):
        print(f"  {what}: {number}")
    for difference in verdict.differences:
        print(f"DIFFERENCE: {difference}")
    print("No difference." if not verdict.differences else f"{len(verdict.differences)} differences.", flush=True)


async def run(plan: Plan, folder: Path) -> int:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    print(f"Seed {plan.seed}; logs in {folder}", flush=True)
    async with asyncio.timeout(plan.longest), opened(plan, folder) as stage:
        await live_through(stage)
        await settle(stage)
        verdict = await judge(stage)
        show(stage, verdict)
    return 1 if verdict.differences else 0


def main() -> int:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it would tell of every answer that is cut off
    plan, kept = arguments()
    with tempfile.TemporaryDirectory(prefix="tocsin-chaos-", ignore_cleanup_errors=True) as folder:
        return asyncio.run(run(plan, kept or Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
