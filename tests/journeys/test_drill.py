"""An incident is played in the simulator of a running product, and each hop of its way is timed or named as broken."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.journeys.command import PATIENCE, TOCSIN, Installation, environment, free_port, tocsin

pytestmark = pytest.mark.slow

LONGEST = 900
"""Seconds for a drill."""
TOKEN = "tcn_FAKE_admin_token_of_the_drill_0123456789"
HOPS = ["incident", "report", "poll", "store", "evaluation", "alert", "notification", "answer of console (console)"]
"""Those of a way that is whole, until the incident is taken back."""


class Product:
    """A product with the simulator, five minutes of whose clock are a second."""

    def __init__(self, installation: Installation, simulator: str) -> None:
        self.folder, self.port, self._simulator = installation.folder, installation.port, simulator

    @property
    def settings(self) -> dict[str, str]:
        return {"TOCSIN_TOKEN": TOKEN, "TOCSIN_URL": f"http://127.0.0.1:{self.port}"}

    def drill(self, *options: str) -> tuple[int | None, dict[str, dict[str, Any]]]:
        """The exit code, and the hops by name."""
        arguments = ("drill", "--incident", "loop", "--json", *options)
        variables = environment(self.port, self.settings)
        command = [str(TOCSIN), *arguments]
        ended = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=LONGEST, check=False)
        assert ended.stdout, ended
        return ended.returncode, {one["hop"]: one for one in json.loads(ended.stdout)["hops"]}

    def control(self, method: str, path: str, body: object = None) -> Any:
        """An answer of the simulator's control routes; None for one without content."""
        answer = httpx.request(method, f"{self._simulator}/_simulator/{path}", json=body, trust_env=False)
        return answer.raise_for_status().json() if answer.content else None

    def rest(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{self.settings['TOCSIN_URL']}/v1{path}"
        return httpx.request(method, url, json=body, headers=headers, trust_env=False).raise_for_status().json()

    def newest_incident(self) -> dict[str, Any]:
        newest: dict[str, Any] = self.control("GET", "world")["incidents"][-1]
        return newest


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    installation = Installation(tmp_path_factory.mktemp("drilled"), free_port())
    settings = {"TOCSIN_CLOCK": "2026-10-20T10:10:00Z@300", "TOCSIN_ADMIN_TOKEN": TOKEN}
    with tocsin(installation.folder, installation.port, "up", **settings) as running:
        running.wait_for(r"poll_ended.*state=done")
        running.read_on()
        simulator = httpx.get(
            f"http://127.0.0.1:{installation.port}/v1/sources",
            headers={"Authorization": f"Bearer {TOKEN}"},
            trust_env=False,
        ).json()["items"][0]["base_url"]
        yield Product(installation, simulator)


def test_a_drill_passes_on_tocsin_up_and_takes_its_incident_back(product: Product) -> None:
    code, hops = product.drill("--patience", "400")
    assert (code, [name for name, hop in hops.items() if hop["broken"]]) == (0, [])
    assert list(hops) == [*HOPS, "take back", "end", "clean-up"]
    assert "rule 'unusual spend' fires alert_" in hops["alert"]["detail"]
    assert hops["report"]["seconds"] == 360, "a minute, and the five that usage is late"
    assert hops["end"]["detail"] == "it is over: recovered"
    assert product.rest("GET", "/alerts?state=firing&rule=unusual%20spend")["items"] == []
    incident = product.newest_incident()
    assert length(incident) < timedelta(hours=4), "taken back, it did not end by itself"


@pytest.mark.parametrize("ended", ["SIGINT", "SIGTERM"])
def test_a_drill_that_is_ended_early_takes_its_incident_back(product: Product, ended: str) -> None:
    folder, port = product.folder, product.port
    with tocsin(folder, port, "drill", "--incident", "loop", "--yes", **product.settings) as drill:
        drill.wait_for("incident .* spends 10 times")
        drill.process.send_signal(signal.Signals[ended])
        drill.process.wait(PATIENCE)
        assert drill.process.returncode != 0
    incident = product.newest_incident()
    assert length(incident) < timedelta(hours=4)


def test_the_hop_that_is_broken_says_what_holds_it_back(product: Product) -> None:
    product.rest("PATCH", "/rules/unusual%20spend", {"gates": {"min_amount": "100000.00"}})
    code, hops = product.drill("--patience", "60")
    assert (code, [name for name, hop in hops.items() if hop["broken"]]) == (1, ["alert"]), hops
    assert "Rule 'unusual spend' says of workspace production" in hops["alert"]["detail"]
    assert "100,000" in hops["alert"]["detail"]

    product.control("POST", "faults", {"endpoint": "usage_report", "fault": "unauthorized", "times": None})
    code, hops = product.drill()
    assert (code, list(hops)) == (1, ["incident", "report", "poll", "take back"])
    assert "admin key" in hops["poll"]["detail"]
    assert length(product.newest_incident()) < timedelta(hours=4)


def length(incident: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(incident["ends_at"]) - datetime.fromisoformat(incident["starts_at"])
