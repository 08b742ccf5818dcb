"""The PostgreSQL program and the account that runs it, where we are root and folders are closed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.adapters.embedded_postgres.account import ServerAccount
from service.adapters.embedded_postgres.program import PostgresProgram

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tocsin-test-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def closed_copy(program: PostgresProgram, folder: Path) -> PostgresProgram:
    """Install the program again under a folder that only its owner may pass."""
    folder.mkdir(mode=0o700)
    package = program.folder.parent
    shutil.copytree(program.folder, folder / package.name / program.folder.name)
    shutil.copytree(package.with_name(f"{package.name}.libs"), folder / f"{package.name}.libs")
    return PostgresProgram(folder / package.name / program.folder.name)


def version_as(account: ServerAccount, program: PostgresProgram, folder: Path) -> str:
    with (folder / "said").open("wb+") as said:
        account.popen([program.command("postgres"), "--version"], folder=folder, log=said).wait()
        said.seek(0)
        return said.read().decode()


def test_an_account_of_our_own_uses_the_program_where_it_is(tmp_path: Path) -> None:
    program = PostgresProgram.installed()
    ours = ServerAccount(os.geteuid(), os.getegid())
    assert program.readable_by(ours, copies=tmp_path) == program
    assert list(tmp_path.iterdir()) == []


@only_root
def test_program_in_a_closed_folder_is_copied_once_and_runs(open_folder: Path) -> None:
    program = closed_copy(PostgresProgram.installed(), open_folder / "closed")
    account = ServerAccount.for_folder(open_folder)
    copies = open_folder / "copies"
    copies.mkdir()
    copy = program.readable_by(account, copies=copies)
    assert "(PostgreSQL) 18" in version_as(account, copy, open_folder)
    made = copy.folder.stat().st_ctime_ns
    assert program.readable_by(account, copies=copies).folder.stat().st_ctime_ns == made
    assert not (copy.folder / "include").exists()
