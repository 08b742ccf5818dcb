"""Strangers at the whole product: more connections than descriptors, bodies that never come, and it goes on working."""

from __future__ import annotations

import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.journeys.command import PATIENCE, Running, free_port, tocsin

pytestmark = pytest.mark.slow

DESCRIPTORS, GRANTED = 800, 100
IDLE, STALLED = 300, 12
LOG = 50_000
"""Bytes; a flood wrote as much in a fortieth of a second."""


def stranger(port: int, said: str = "") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.sendall(said.encode())
    return connection


def without_body(path: str, secret: str) -> str:
    head = f"POST {path} HTTP/1.1\r\nHost: tocsin\r\nAuthorization: Bearer {secret}\r\nIdempotency-Key: once\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"


def poll_to_its_end(port: int, secret: str) -> str:
    """Asks for a poll, which a job does, and gives its state at its end."""
    url, headers = f"http://127.0.0.1:{port}/v1", {"Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=PATIENCE) as api:
        (source,) = api.get("/sources").raise_for_status().json()["items"]
        poll = api.post(f"/sources/{source['id']}/poll").raise_for_status().json()
        deadline = time.monotonic() + PATIENCE
        while poll["state"] in {"queued", "running"}:
            assert time.monotonic() < deadline, poll
            poll = api.get(f"/sources/{source['id']}/polls/{poll['id']}").raise_for_status().json()
    return str(poll["state"])


def started(product: Running) -> str:
    """The admin's token, once few descriptors are left to the process and it has noticed."""
    resource.prlimit(product.process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    assert product.wait_for(r"connections_lowered\s+granted=(\d+)")[1] == str(GRANTED)
    return product.wait_for(r"admin token, shown this once: (\S+)")[1]


def test_api_and_jobs_go_on_beside_strangers(tmp_path: Path) -> None:
    port = free_port()
    with tocsin(tmp_path, port, "up") as product, ExitStack() as strangers:
        secret = started(product)
        for _ in range(IDLE):
            strangers.enter_context(stranger(port))
        for _ in range(STALLED):
            strangers.enter_context(stranger(port, without_body("/v1/alerts/alert_none/acknowledge", secret)))
        assert poll_to_its_end(port, secret) == "done"
        product.interrupt()
    assert "connections_exhausted" in product.shown
    assert len(product.shown) < LOG
