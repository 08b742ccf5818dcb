"""Pictures of charts, by vl-convert in a child process: the library takes 120 MB and never gives them back.

Its fonts are built in, so that pictures look the same on a machine without any. Nothing is fetched: the data is in the
specification, and the child may reach no address.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from service.workflows.ports.platform import ChartError

TIME_LIMIT = 8.0
"""Seconds, waiting for other pictures included: a message waits for its picture no longer."""
KEPT = 32
"""An alert goes to several channels at once, and one picture does for all."""
MOST_BYTES = 5_000_000
PNG = b"\x89PNG\r\n\x1a\n"
COMMAND = (sys.executable, "-I", "-c")
PROGRAM = (
    "import sys, vl_convert\n"
    "sys.stdout.buffer.write(vl_convert.vegalite_to_png(sys.stdin.read(), scale=2, allowed_base_urls=[]))\n"
)


class ChildCharts:
    """Draws one picture at a time and keeps the last few."""

    def __init__(self, command: Sequence[str] = (*COMMAND, PROGRAM), time_limit: float = TIME_LIMIT) -> None:
        self._command = tuple(command)
        self._time_limit = time_limit
        self._turn = asyncio.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    async def png(self, specification: Mapping[str, object]) -> bytes:
        document = json.dumps(specification).encode()
        key = hashlib.sha256(document).hexdigest()
        try:
            async with asyncio.timeout(self._time_limit), self._turn:
                if key not in self._kept:
                    self._keep(key, await _draw(self._command, document))
                return self._kept[key]
        except TimeoutError:
            raise ChartError(f"no picture within {self._time_limit:g} s") from None
        except OSError as error:
            raise ChartError(f"the drawing process cannot be started: {error}") from error

    def _keep(self, key: str, png: bytes) -> None:
        self._kept[key] = png
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


async def _draw(command: Sequence[str], document: bytes) -> bytes:
    """Raises ChartError. The child ends with the call, whatever becomes of it."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        png, errors = await child.communicate(document)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0 or not png.startswith(PNG) or len(png) > MOST_BYTES:
        said = errors.decode(errors="replace").strip().splitlines()
        raise ChartError(f"the drawing process ended with {child.returncode}: {said[-1] if said else 'no picture'}")
    return png
