"""A stop has a bound, whatever hangs. Real processes and real signals."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

SHORT, NEVER = 0.2, 3600.0
PATIENCE = 60.0

PRODUCT = """
import asyncio, sys, time
from service.cli.stopping import stopping

async def wait_for_ever():
    await asyncio.Event().wait()

async def wait_in_a_thread():
    await asyncio.to_thread(time.sleep, 3600)

async def block():
    time.sleep(3600)

async def end():
    pass

async def main(stop):
    event = stop.event()
    print("up", flush=True)
    await event.wait()
    print("asked", flush=True)
    await globals()[sys.argv[1]]()

with stopping(float(sys.argv[2])) as stop:
    asyncio.run(main(stop))
print("ended in order", flush=True)
"""


@contextmanager
def product(way_of_ending: str, bound_seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has been asked to stop, once. Its output is not buffered: all that follows is still to be read."""
    command = [sys.executable, "-c", PRODUCT, way_of_ending, str(bound_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == b"asked\n"
            yield process
        finally:
            process.kill()


def rest_of(process: subprocess.Popen[bytes]) -> tuple[str, str]:
    shown, complained = process.communicate(timeout=PATIENCE)
    return shown.decode(), complained.decode()


def test_what_ends_in_order_ends_well() -> None:
    with product("end", NEVER) as process:
        shown, complained = rest_of(process)
    assert (process.returncode, shown, complained) == (0, "ended in order\n", "")


@pytest.mark.parametrize("hangs", ["wait_for_ever", "wait_in_a_thread", "block"])
def test_what_hangs_is_ended_at_the_bound_with_a_line(hangs: str) -> None:
    with product(hangs, SHORT) as process:
        shown, complained = rest_of(process)
    assert (process.returncode, shown) == (1, "")
    assert complained == "tocsin: not everything could end within 0.2 s of the signal: stopped all the same\n"


@pytest.mark.parametrize("again", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("hangs", ["wait_for_ever", "wait_in_a_thread", "block"])
def test_a_second_signal_ends_it_at_once(hangs: str, again: signal.Signals) -> None:
    with product(hangs, NEVER) as process:
        process.send_signal(again)
        shown, complained = rest_of(process)
    assert (process.returncode, shown) == (1, "")
    assert complained == "tocsin: stopped at once: asked twice\n"
