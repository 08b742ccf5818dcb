"""The wheel alone is enough: installed where no checkout is, it starts everything. `make wheel` has built it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from service.adapters.postgres.migrate import head

DIST = Path(__file__).parents[1] / "dist"
TOKEN = "tcn_FAKE-admin-token-of-the-wheel"
PATIENCE = 120.0

pytestmark = [pytest.mark.wheel, pytest.mark.slow]


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """`tocsin` in an environment that has the wheel and, beside it, the libraries of the development environment.

    They are found by path: nothing is downloaded, and an editable install is not found that way.
    """
    (wheel,) = DIST.glob("*.whl")
    empty = tmp_path / "empty"
    venv.create(empty, symlinks=True)
    python = empty / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True, cwd=tmp_path)
    (site,) = empty.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return empty / "bin" / "tocsin"


@contextmanager
def running(command: Path, folder: Path, port: int) -> Iterator[Path]:
    """Yields the log of `tocsin up`, which is stopped as a supervisor stops it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "ANTHROPIC_"))}
    settings = {"TOCSIN_DATA_DIR": str(folder / "data"), "TOCSIN_PORT": str(port), "TOCSIN_ADMIN_TOKEN": TOKEN}
    said = folder / "log"
    with said.open("w") as log:
        up = subprocess.Popen([command, "up"], cwd=folder, env=clean | settings, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield said
        finally:
            up.send_signal(signal.SIGTERM)
            assert up.wait(PATIENCE) == 0, said.read_text()


def ask_until_there(url: str, said: Path) -> httpx.Response:
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        try:
            answer = httpx.get(url)
            if answer.is_success:
                return answer
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(said.read_text())


def test_an_installed_wheel_starts_everything_by_itself(command: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with running(command, tmp_path, port) as said:
        ask_until_there(f"{url}/readyz", said)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert [one["kind"] for one in httpx.get(f"{url}/v1/sources", headers=bearer).json()["items"]] == ["simulator"]
        assert "<style>" in httpx.get(f"{url}/sign-in").text, "templates and their style are inside"
        assert httpx.get(f"{url}/icon.svg").text.startswith("<svg")
        assert httpx.get(f"{url}/docs").is_success
    installed = command.parent / "python"
    asked = "from service.adapters.postgres.migrate import SCRIPTS, head; print(SCRIPTS, head())"
    shown = subprocess.run([installed, "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True)
    scripts, newest = shown.stdout.split()
    assert Path(scripts).is_relative_to(command.parents[1])
    assert newest == head()
