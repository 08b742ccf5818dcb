"""`tocsin simulate`: the local Claude Admin API alone."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path

from fastapi import FastAPI
from rich.console import Console

from service.bootstrap.clock import process_clock
from service.bootstrap.errors import OptionError, StartError
from service.bootstrap.outside import LOOPBACK
from service.bootstrap.simulator import simulator
from service.cli.serving import reason_of, serving
from service.cli.starting import read_settings
from service.cli.stopping import Stop, stopping
from service.settings import Settings


def simulate(out: Console, *, port: int, seed: int, replay: Path | None) -> None:
    settings = read_settings()
    with stopping() as stop:
        asyncio.run(run_simulator(settings, out, stop, port=port, seed=seed, replay=replay))


async def run_simulator(
    settings: Settings, out: Console, stopper: Stop, *, port: int, seed: int, replay: Path | None
) -> None:
    stop = stopper.event()
    app = _simulator(settings, seed, replay)
    try:
        async with serving(app, LOOPBACK, port) as address:
            out.print(f"simulated Claude Admin API on {address}: every figure is invented", highlight=False)
            out.print(f"ANTHROPIC_BASE_URL={address} and any key that starts with sk-ant-admin", highlight=False)
            await stop.wait()
    except OSError as error:
        raise StartError(f"cannot listen on port {port}: {reason_of(error)}; choose another with --port") from error


def _simulator(settings: Settings, seed: int, replay: Path | None) -> FastAPI:
    """Raises OptionError for a file that cannot be replayed."""
    try:
        return simulator(seed, process_clock(settings), replay)
    except OSError as error:
        raise OptionError(f"--replay: {replay}: {reason_of(error)}") from error
    except (ValueError, TypeError, EOFError, csv.Error) as error:
        form = "a line is series,date,y, such as shop,2026-01-01,120"
        raise OptionError(f"--replay: {replay}: {error}; {form}") from error
