"""Every kind of channel has its sender, found by the kind's name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from service.adapters.channels.factory import opener
from service.domain.notify.channels.registry import KINDS


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_s_sender_stands_under_its_name(kind: type) -> None:
    assert callable(opener(kind.document.kind))  # type: ignore[attr-defined]


def test_senders_are_loaded_when_they_are_needed() -> None:
    """A process that sends no mail loads no mail library."""
    program = "import sys, service.bootstrap.product; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"aiosmtplib", "service.adapters.channels.teams", "service.adapters.channels.slack.bot"} & set(loaded)
