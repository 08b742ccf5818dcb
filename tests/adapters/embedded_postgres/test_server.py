"""The embedded PostgreSQL, run for real: kept data, crashes of either side, awkward folders."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from service.adapters.embedded_postgres.postmaster import Postmaster
from service.adapters.embedded_postgres.server import Durability, EmbeddedPostgres, EmbeddedPostgresError

STARTED_AT = "SELECT pg_postmaster_start_time()::text"
KEEPS_RUNNING = f"""
import sys, psycopg
from pathlib import Path
from service.adapters.embedded_postgres.server import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]))
postgres.start()
with psycopg.connect(postgres.url().replace("+psycopg", "")) as connection:
    connection.execute("SELECT pg_advisory_xact_lock(1)")
    connection.execute("CREATE TABLE IF NOT EXISTS rung (bell text)")
    connection.execute("INSERT INTO rung VALUES ('kept')")
    started_at = connection.execute({STARTED_AT!r}).fetchone()[0]
print(started_at, flush=True)
sys.stdin.read()
postgres.stop()
"""

MakePostgres = Callable[[Path], EmbeddedPostgres]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may pass, with a short path."""
    with tempfile.TemporaryDirectory(prefix="tocsin-test-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def make_postgres(open_folder: Path) -> Iterator[MakePostgres]:
    """Make servers that are stopped at the end, before their folders go."""
    made: list[EmbeddedPostgres] = []

    def make(root: Path) -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(root, durability=Durability.DISPOSABLE, max_connections=20))
        return made[-1]

    yield make
    for postgres in made:
        postgres.stop()


def run(postgres: EmbeddedPostgres, statement: str) -> str:
    """Run one statement in the database `tocsin`; give the first value of its first row."""
    with psycopg.connect(postgres.url().replace("+psycopg", "")) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return str(row[0]) if row else ""


def start_elsewhere(root: Path) -> tuple[subprocess.Popen[str], str]:
    """Start the server from another process, which stores one row; give it and the server's start."""
    command = [sys.executable, "-c", KEEPS_RUNNING, str(root)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=60)
    return process.returncode


def postmaster(root: Path) -> Postmaster:
    running = Postmaster.serving(root / "data")
    assert running is not None
    return running


def test_data_is_kept_after_stop_and_start(make_postgres: MakePostgres, tmp_path: Path) -> None:
    postgres = make_postgres(tmp_path / "pg")
    postgres.start()
    run(postgres, "CREATE TABLE rung AS SELECT 'kept' AS bell")
    postgres.stop()
    assert Postmaster.recorded(tmp_path / "pg" / "data") is None
    postgres.start()
    assert run(postgres, "SELECT bell FROM rung") == "kept"


@pytest.mark.slow
def test_as_a_context_manager_it_runs_inside_and_not_after(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg", durability=Durability.DISPOSABLE) as postgres:
        assert run(postgres, "SELECT current_database()") == "tocsin"
    assert Postmaster.recorded(tmp_path / "pg" / "data") is None


@pytest.mark.slow
def test_options_reach_the_server(make_postgres: MakePostgres, tmp_path: Path) -> None:
    postgres = make_postgres(tmp_path / "pg")
    postgres.start()
    names = ("max_connections", "fsync", "TimeZone", "listen_addresses", "server_encoding")
    assert [run(postgres, f"SHOW {name}") for name in names] == ["20", "off", "UTC", "", "UTF8"]


@pytest.mark.slow
def test_unless_disposable_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg") as postgres:
        names = ("fsync", "synchronous_commit", "full_page_writes")
        assert [run(postgres, f"SHOW {name}") for name in names] == ["on", "on", "on"]


@pytest.mark.slow
def test_the_last_user_of_a_server_stops_it(make_postgres: MakePostgres, tmp_path: Path) -> None:
    first, second = make_postgres(tmp_path / "pg"), make_postgres(tmp_path / "pg")
    first.start()
    second.start()
    assert run(second, STARTED_AT) == run(first, STARTED_AT)
    first.stop()
    assert run(second, "SELECT 1") == "1"
    second.stop()
    assert Postmaster.recorded(tmp_path / "pg" / "data") is None


@pytest.mark.slow
def test_processes_that_start_at_once_share_one_server(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KEEPS_RUNNING, str(tmp_path / "pg")]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    starts = {process.stdout.readline() for process in processes if process.stdout is not None}
    assert [end(process) for process in processes] == [0, 0, 0]
    assert len(starts) == 1
    assert Postmaster.recorded(tmp_path / "pg" / "data") is None


@pytest.mark.slow
def test_start_attaches_to_the_server_of_a_killed_process(make_postgres: MakePostgres, tmp_path: Path) -> None:
    process, started_at = start_elsewhere(tmp_path / "pg")
    process.kill()
    assert end(process) == -signal.SIGKILL
    postgres = make_postgres(tmp_path / "pg")
    postgres.start()
    assert run(postgres, STARTED_AT) == started_at
    assert run(postgres, "SELECT bell FROM rung") == "kept"
    postgres.stop()
    assert Postmaster.recorded(tmp_path / "pg" / "data") is None


@pytest.mark.slow
def test_committed_row_survives_a_kill_of_process_and_server(make_postgres: MakePostgres, tmp_path: Path) -> None:
    process, started_at = start_elsewhere(tmp_path / "pg")
    socket_folder = postmaster(tmp_path / "pg").socket_folder
    os.kill(postmaster(tmp_path / "pg").pid, signal.SIGKILL)
    process.kill()
    end(process)
    postgres = make_postgres(tmp_path / "pg")
    postgres.start()
    assert run(postgres, STARTED_AT) != started_at
    assert run(postgres, "SELECT bell FROM rung") == "kept"
    assert socket_folder is not None
    assert socket_folder == tmp_path / "pg" or not socket_folder.exists()


@pytest.mark.slow
def test_stop_after_the_server_was_killed_lets_it_start_again(make_postgres: MakePostgres, tmp_path: Path) -> None:
    postgres = make_postgres(tmp_path / "pg")
    postgres.start()
    os.kill(postmaster(tmp_path / "pg").pid, signal.SIGKILL)
    postgres.stop()
    postgres.start()
    assert run(postgres, "SELECT 1") == "1"


@pytest.mark.slow
def test_server_is_in_a_process_group_of_its_own(make_postgres: MakePostgres, tmp_path: Path) -> None:
    postgres = make_postgres(tmp_path / "pg")
    postgres.start()
    pid = postmaster(tmp_path / "pg").pid
    assert os.getpgid(pid) == pid != os.getpgrp()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux shows a process's environment")
def test_server_inherits_no_secret(make_postgres: MakePostgres, tmp_path: Path) -> None:
    secret = "sk-ant-admin01-FAKE"
    environment = {**os.environ, "ANTHROPIC_ADMIN_KEY": secret}
    command = [sys.executable, "-c", KEEPS_RUNNING, str(tmp_path / "pg")]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    kernel = Path("/proc")
    assert secret.encode() in (kernel / str(process.pid) / "environ").read_bytes()
    server = kernel / str(postmaster(tmp_path / "pg").pid)
    shown = [(server / name).read_bytes() for name in ("environ", "cmdline")]
    assert end(process) == 0
    assert all(secret.encode() not in part for part in shown)


@pytest.mark.slow
def test_socket_is_beside_the_data_when_it_can_be(make_postgres: MakePostgres, open_folder: Path) -> None:
    postgres = make_postgres(open_folder / "pg")
    postgres.start()
    assert postgres.url() == f"postgresql+psycopg://postgres@/tocsin?host={open_folder / 'pg'}&port=5432"
    assert (open_folder / "pg").stat().st_mode & 0o077 == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deep" * 30, "a,b", 'with "quotes" and %41'])
def test_awkward_folder_still_gets_a_usable_socket(make_postgres: MakePostgres, open_folder: Path, name: str) -> None:
    postgres = make_postgres(open_folder / name)
    postgres.start()
    assert run(postgres, "SELECT 1") == "1"
    socket_folder = postmaster(open_folder / name).socket_folder
    postgres.stop()
    assert socket_folder is not None
    assert socket_folder == open_folder / name or not socket_folder.exists()


@pytest.mark.slow
def test_data_of_another_major_version_is_refused_and_left_alone(make_postgres: MakePostgres, tmp_path: Path) -> None:
    postgres = make_postgres(tmp_path / "pg")
    postgres.start()
    postgres.stop()
    version = tmp_path / "pg" / "data" / "PG_VERSION"
    version.write_text("15\n")
    with pytest.raises(EmbeddedPostgresError, match=r"PostgreSQL 15.*pg_dump"):
        postgres.start()
    assert version.read_text() == "15\n"
    assert Postmaster.recorded(tmp_path / "pg" / "data") is None


@pytest.mark.slow
def test_copy_of_a_running_folder_is_not_taken_for_the_original(make_postgres: MakePostgres, tmp_path: Path) -> None:
    make_postgres(tmp_path / "pg").start()
    (tmp_path / "copy").mkdir()
    shutil.copy(tmp_path / "pg" / "data" / "postmaster.pid", tmp_path / "copy")
    assert Postmaster.recorded(tmp_path / "copy") == postmaster(tmp_path / "pg")
    assert Postmaster.serving(tmp_path / "copy") is None


@pytest.mark.slow
def test_interrupted_initdb_does_not_stand_in_the_way(make_postgres: MakePostgres, tmp_path: Path) -> None:
    half_made = tmp_path / "pg" / "data.unfinished"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("1")
    postgres = make_postgres(tmp_path / "pg")
    postgres.start()
    assert run(postgres, "SELECT 1") == "1"


@pytest.mark.slow
def test_failed_start_shows_the_end_of_the_log_and_leaves_nothing_running(
    make_postgres: MakePostgres, tmp_path: Path
) -> None:
    postgres = make_postgres(tmp_path / "pg")
    postgres.start()
    postgres.stop()
    settings = tmp_path / "pg" / "data" / "postgresql.conf"
    good = settings.read_text()
    settings.write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError, match=r"(?s)no_such_setting.*TOCSIN_DATABASE_URL"):
        postgres.start()
    assert Postmaster.recorded(tmp_path / "pg" / "data") is None
    settings.write_text(good)
    postgres.start()
    assert run(postgres, "SELECT 1") == "1"


def test_folder_that_is_a_file_is_refused_with_advice(make_postgres: MakePostgres, tmp_path: Path) -> None:
    (tmp_path / "pg").write_text("")
    with pytest.raises(EmbeddedPostgresError, match="TOCSIN_DATA_DIR"):
        make_postgres(tmp_path / "pg").start()


def test_it_has_no_address_before_start_and_starts_once(make_postgres: MakePostgres, tmp_path: Path) -> None:
    postgres = make_postgres(tmp_path / "pg")
    with pytest.raises(EmbeddedPostgresError, match="start"):
        postgres.url()
    postgres.start()
    with pytest.raises(EmbeddedPostgresError, match="already"):
        postgres.start()
    assert run(postgres, "SELECT 1") == "1"
