"""Alertmanager beside us: as many alerts, each a group of its own, to the same receiver."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from delivering.receiver import Receiver

PROGRAM = "prometheus-alertmanager"
ADDRESS = "127.0.0.1:19393"
_CONFIGURATION = """
route: {{receiver: hook, group_by: ['...'], group_wait: 1ms, group_interval: 1h, repeat_interval: 24h}}
receivers: [{{name: hook, webhook_configs: [{{url: '{url}/alertmanager', send_resolved: false}}]}}]
"""


async def seconds(receiver: Receiver, counts: Iterable[int]) -> dict[int, float] | None:
    """Measures seconds from the alerts' POST until the last one is received, by their number.

    None where Alertmanager is not installed.
    """
    if shutil.which(PROGRAM) is None:
        return None
    async with _running(receiver):
        return {count: await _one(receiver, count) for count in counts}


async def _one(receiver: Receiver, count: int) -> float:
    alerts = [{"labels": {"alertname": "budget", "number": f"{count}_{one}"}} for one in range(count)]
    began = time.monotonic()
    await asyncio.to_thread(_post, alerts)
    return max(one.at for one in await receiver.wait_for(count)) - began


def _post(alerts: list[dict[str, dict[str, str]]]) -> None:
    body, headers = json.dumps(alerts).encode(), {"Content-Type": "application/json"}
    urlopen(Request(f"http://{ADDRESS}/api/v2/alerts", body, headers)).close()


@asynccontextmanager
async def _running(receiver: Receiver) -> AsyncIterator[None]:
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        configuration = Path(folder) / "alertmanager.yml"
        configuration.write_text(_CONFIGURATION.format(url=receiver.url))
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            f"--config.file={configuration}",
            f"--storage.path={folder}",
            f"--web.listen-address={ADDRESS}",
            "--cluster.listen-address=",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await asyncio.to_thread(_wait_until_ready)
            yield
        finally:
            process.terminate()
            await process.wait()


def _wait_until_ready() -> None:
    for _ in range(200):
        try:
            urlopen(f"http://{ADDRESS}/-/ready").close()
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{PROGRAM} is not ready")
