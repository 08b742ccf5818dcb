"""The account that runs the server: its own where it can be made, and nobody else comes in."""

import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from service.adapters.embedded_postgres.account import OWN_ACCOUNT, ServerAccount
from service.adapters.embedded_postgres.program import PostgresProgram
from service.adapters.embedded_postgres.server import Durability, EmbeddedPostgres

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")
IMPOSSIBLE = "No Such Account!"
"""No system makes an account of that name."""


def account_named(name: str) -> ServerAccount:
    entry = pwd.getpwnam(name)
    return ServerAccount(entry.pw_uid, entry.pw_gid)


def server(root: Path, account: str = OWN_ACCOUNT) -> EmbeddedPostgres:
    return EmbeddedPostgres(root, durability=Durability.DISPOSABLE, max_connections=20, account=account)


def connect(postgres: EmbeddedPostgres) -> psycopg.Connection:
    return psycopg.connect(postgres.url().replace("+psycopg", ""))


def said_to(account: ServerAccount, postgres: EmbeddedPostgres, folder: Path) -> str:
    """What the server answers to a program that runs under an account."""
    program = PostgresProgram.installed().readable_by(account, copies=folder)
    address = postgres.url().replace("+psycopg", "")
    with (folder / "said").open("wb+") as said:
        account.popen([program.command("psql"), "-Atc", "SELECT 'let in'", address], folder=folder, log=said).wait()
        said.seek(0)
        return said.read().decode()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tocsin-test-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@only_root
def test_a_new_folder_of_root_is_served_by_an_account_made_for_it(tmp_path: Path) -> None:
    made = ServerAccount.for_folder(tmp_path)
    entry = pwd.getpwuid(made.uid)
    assert (entry.pw_name, entry.pw_shell, entry.pw_dir) == (OWN_ACCOUNT, "/usr/sbin/nologin", "/nonexistent")
    assert ServerAccount.for_folder(tmp_path) == made


@only_root
def test_where_none_can_be_made_it_is_served_by_nobody(tmp_path: Path) -> None:
    assert ServerAccount.for_folder(tmp_path, IMPOSSIBLE) == account_named("nobody")


@only_root
def test_a_folder_of_somebody_is_served_by_its_owner(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12346)
    assert ServerAccount.for_folder(tmp_path) == ServerAccount(12345, 12346)


@only_root
@pytest.mark.slow
def test_a_program_under_the_server_s_shared_account_is_not_let_in(open_folder: Path) -> None:
    nobody = account_named("nobody")
    with server(open_folder / "pg", IMPOSSIBLE) as postgres:
        assert (open_folder / "pg").stat().st_uid == nobody.uid
        assert 'Peer authentication failed for user "postgres"' in said_to(nobody, postgres, open_folder)
        with connect(postgres) as ours:
            assert ours.execute("SELECT current_user").fetchone() == ("postgres",)


@only_root
@pytest.mark.slow
def test_the_owner_of_a_folder_is_let_in_where_root_has_started_the_server(open_folder: Path) -> None:
    folder = open_folder / "pg"
    folder.mkdir(mode=0o700)
    owner = account_named("daemon")
    owner.take(folder)
    with server(folder) as postgres:
        assert "let in" in said_to(owner, postgres, open_folder)
        assert said_to(account_named("nobody"), postgres, open_folder).strip() != "let in"


@only_root
@pytest.mark.slow
def test_data_of_an_earlier_release_gets_the_account_and_stays(open_folder: Path) -> None:
    with server(open_folder / "pg", IMPOSSIBLE) as earlier, connect(earlier) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'kept' AS word")
    own = ServerAccount.for_folder(open_folder / "pg")
    with server(open_folder / "pg") as postgres, connect(postgres) as connection:
        assert connection.execute("SELECT word FROM kept").fetchone() == ("kept",)
        owners = {path.stat().st_uid for path in (open_folder / "pg").rglob("*")}
        assert owners == {own.uid}
