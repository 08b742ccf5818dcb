"""The command as a process of its own, and a product that it runs."""

from __future__ import annotations

import multiprocessing
import os
import re
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from service.cli.app import main

TOCSIN = Path(sys.executable).with_name("tocsin")
PATIENCE = 60.0
PRELOADED = multiprocessing.get_context("forkserver")
"""Makes processes from one that has imported the product already, which takes longer than what most commands do."""
PRELOADED.set_forkserver_preload([f"service.cli.{name}" for name in ("app", "checking", "polls", "running", "working")])


class Running:
    """A `tocsin` process whose terminal is a pipe."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._seen = b""

    @property
    def shown(self) -> str:
        """What has been read off the terminal so far; all there was once it has ended."""
        return self._seen.decode(errors="replace")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """What the terminal shows, as soon as it does."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE
        while (found := re.search(pattern, self.shown)) is None:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"never shown: {pattern}\n{self.shown}"
            more = os.read(self.process.stdout.fileno(), 65536)
            assert more, f"it ended: {self.shown}"
            self._seen += more
        return found

    def read_on(self) -> None:
        """Reads what comes in the background: a full pipe would stop the process."""
        assert self.process.stdout is not None
        terminal = self.process.stdout.fileno()
        threading.Thread(target=lambda: all(iter(lambda: os.read(terminal, 65536), b"")), daemon=True).start()

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=PATIENCE)
        self._seen += rest
        return self.process.returncode


def environment(port: int, settings: Mapping[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "ANTHROPIC_"))}
    return {**clean, "TOCSIN_PORT": str(port), "COLUMNS": "160", **settings}


@contextmanager
def tocsin(folder: Path, port: int, *arguments: str, **settings: str) -> Iterator[Running]:
    """A command in a process of its own, while the block lasts."""
    process = subprocess.Popen(
        [TOCSIN, *arguments],
        cwd=folder,
        env=environment(port, settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    running = Running(process)
    with process:
        try:
            yield running
        finally:
            if process.poll() is None:
                running.interrupt()  # a kill would leave its database running


@dataclass(frozen=True)
class Ended:
    """What a command left behind that has ended."""

    returncode: int | None
    stdout: str
    stderr: str


def run(folder: Path, port: int, *arguments: str, **settings: str) -> Ended:
    """A command in a process of its own, to its end."""
    shown, complained = (folder / f"{time.monotonic_ns()}-{name}.txt" for name in ("out", "err"))
    process = PRELOADED.Process(
        target=enter, args=(folder, environment(port, settings), ("tocsin", *arguments), (shown, complained))
    )
    process.start()
    process.join(PATIENCE)
    if process.is_alive():
        process.terminate()
        process.join()
    return Ended(process.exitcode, shown.read_text(), complained.read_text())


def enter(folder: Path, variables: Mapping[str, str], arguments: tuple[str, ...], terminal: tuple[Path, Path]) -> None:
    """In the new process: what the shell would do, and then the command's own entry."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    for stream, path in enumerate(terminal, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    sys.argv = list(arguments)
    main()


def free_port() -> int:
    """A free port before another one, which the simulator takes.

    Both lie below those that the kernel gives to whoever asks for any: nothing else takes the second one meanwhile, and
    a process beside `tocsin up` looks for the simulator there.
    """
    while True:
        port = 20_000 + 2 * secrets.randbelow(5_000)
        with suppress(OSError), ExitStack() as both:
            for each in (port, port + 1):
                both.enter_context(socket.create_server(("127.0.0.1", each)))
            return port


@dataclass(frozen=True)
class Installation:
    """A product that runs in a folder and has rung."""

    folder: Path
    port: int

    def status(self, path: str, secret: str) -> int:
        """Of an answer of its API."""
        headers = {"Authorization": f"Bearer {secret}"}
        return httpx.get(f"http://127.0.0.1:{self.port}/v1{path}", headers=headers, trust_env=False).status_code
