"""An incident is played in a simulator alone: whoever names another source is told what to do instead."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from service.api.sources.kinds import ShownKind
from service.api.sources.sources import SourceOut
from service.bootstrap.errors import StartError
from service.cli.remote.drill.simulator import simulator_of
from tests.cli.remote.rest import answering


def source(base_url: str, kind: ShownKind = ShownKind.CLAUDE_ADMIN) -> SourceOut:
    return cast("SourceOut", SimpleNamespace(name="claude", kind=kind, base_url=base_url))


@pytest.mark.parametrize("url", ["https://api.anthropic.com", "https://proxy.example.com/claude"])
def test_a_source_that_reads_a_real_organisation_is_refused_with_what_to_do_instead(url: str) -> None:
    with pytest.raises(StartError, match=r"reads a real organisation .* without --incident .* without ANTHROPIC_ADMIN"):
        simulator_of(source(url))


def test_a_source_of_this_machine_that_is_no_simulator_is_told_apart() -> None:
    with answering({"GET /_simulator/world": {"detail": "not found"}}) as other:
        for url in (other.url, "http://127.0.0.1:1"):
            with (
                simulator_of(source(url)) as simulator,
                pytest.raises(StartError, match="no simulator of this"),
            ):
                simulator.spenders()


def test_the_scopes_of_a_workspace_are_its_own_and_its_keys() -> None:
    keys = {"apikey_web": {"workspace_id": "wrkspc_p"}, "apikey_old": {"workspace_id": None}}
    world = {"workspaces": {"wrkspc_p": "production", "wrkspc_q": "quiet"}, "api_keys": keys}
    with answering({"GET /_simulator/world": world}) as server, simulator_of(source(server.url)) as simulator:
        spenders = simulator.spenders()
    assert spenders["wrkspc_p"].scopes == {"workspace:wrkspc_p", "api_key:apikey_web"}
    assert spenders["wrkspc_q"].scopes == {"workspace:wrkspc_q"}
