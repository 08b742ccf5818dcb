from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.bootstrap.errors import StartError
from service.cli.folder import LOCK, alone, one_simulator, only_one
from service.settings import Settings

HOLDER = """
import os, signal, sys
from pathlib import Path
from service.cli.folder import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""


def test_a_second_process_in_a_folder_is_refused_with_the_first_one_s_number(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            words = rf"already \(process {holder.pid}\).*TOCSIN_DATA_DIR and TOCSIN_PORT"
            with pytest.raises(StartError, match=words), only_one(tmp_path):
                pass
            with only_one(tmp_path / "another"):
                pass
        finally:
            holder.kill()
    with only_one(tmp_path):  # what a killed process has left bars nobody
        assert (tmp_path / LOCK).read_text() == f"{os.getpid()}\n"


def test_a_file_that_is_left_over_bars_nobody(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("1\n")
    with only_one(tmp_path):
        assert (tmp_path / LOCK).read_text() == f"{os.getpid()}\n"


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    words = r"TOCSIN_DATA_DIR: .*file/below cannot be used"
    with pytest.raises(StartError, match=words), only_one(tmp_path / "file" / "below"):
        pass


def test_with_a_database_of_somebody_s_own_no_folder_is_held_nor_made(tmp_path: Path) -> None:
    unused = tmp_path / "unused"
    with alone(Settings(data_dir=unused, database_url="postgresql://db/tocsin")):
        assert not unused.exists()
    with alone(Settings(data_dir=unused)):
        assert (unused / LOCK).exists()


def test_a_second_simulator_of_one_database_is_refused_and_a_real_organisation_s_process_is_not(
    database_url: str,
) -> None:
    simulated = Settings(database_url=database_url)
    real = simulated.model_copy(update={"anthropic_admin_key": SecretStr("sk-ant-admin01-FAKE")})
    with one_simulator(simulated, database_url):
        with pytest.raises(StartError, match="another `tocsin up`"), one_simulator(simulated, database_url):
            pass
        with one_simulator(real, database_url):
            pass
    with one_simulator(simulated, database_url):
        pass
