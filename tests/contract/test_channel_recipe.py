"""The recipe of ARCHITECTURE.md for a channel: two files and an entry in the registry make all of it.

A made-up channel is put into a copy of the package, by the documented places alone, and a process runs the product
with it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MADE_UP = Path(__file__).parent / "made_up_channel"
CONFIGURATION = "service/domain/notify/channels/pigeon.py"
SENDER = "service/adapters/channels/pigeon.py"
REGISTRY = "service/domain/notify/channels/registry.py"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package with pigeons; the package itself is left as it is."""
    shutil.copytree(ROOT / "service", tmp_path / "service")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    for source, target in (("configuration.py", CONFIGURATION), ("sender.py", SENDER)):
        text = (MADE_UP / source).read_text()
        (tmp_path / target).write_text(
            text.replace("tests.contract.made_up_channel.configuration", "service.domain.notify.channels.pigeon")
        )
    registry = tmp_path / REGISTRY
    entered = re.sub(r"^(ChannelConfig = .*)$", r"\1 | Pigeon", registry.read_text(), count=1, flags=re.MULTILINE)
    imported = "from service.domain.notify.channels.pigeon import Pigeon"
    registry.write_text(entered.replace("\nChannelConfig", f"\n{imported}\n\nChannelConfig", 1))
    return tmp_path


@pytest.mark.slow
def test_a_made_up_channel_is_two_files_and_an_entry(copy: Path, database_url: str) -> None:
    program = [sys.executable, "-m", "tests.contract.made_up_channel.walk", database_url]
    walked = subprocess.run(program, cwd=copy, capture_output=True, text=True, check=False)
    assert walked.returncode == 0, walked.stderr
