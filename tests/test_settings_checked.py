"""`tocsin check` tests every setting, and says of each thing whether it answers."""

from __future__ import annotations

import asyncio
import io
import os
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from rich.console import Console
from typer.testing import CliRunner

from service.adapters.vault import FernetVault
from service.bootstrap.outside import require_sound
from service.cli import starting
from service.cli.app import cli
from service.cli.checking import check_everything, show_lines
from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.values.resources import Resource
from service.settings import Settings, wrong_settings
from service.workflows.operation.command_line import run_checks
from service.workflows.ports.unit_of_work import UowFactory
from tests.factories import utc
from tests.fakes.smtp import FakeSmtp

CLAUDE = SourceKind.CLAUDE_ADMIN
SECRET_KEY = "FAKE-secret-key"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("TOCSIN_", "ANTHROPIC_")):
            monkeypatch.delenv(name)


@pytest.fixture
def _installed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_DATABASE_URL", database_url)
    monkeypatch.setenv("TOCSIN_SECRET_KEY", SECRET_KEY)


@dataclass(frozen=True)
class Checked:
    code: int
    lines: list[str]


def check() -> Checked:
    shown = io.StringIO()
    code = check_everything(Settings, run_checks, show_lines, Console(file=shown, width=200))
    return Checked(code, shown.getvalue().splitlines())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


WRONG = [
    ("TOCSIN_PUBLIC_URL", "foo"),
    ("TOCSIN_PUBLIC_URL", "https://"),
    ("TOCSIN_PUBLIC_URL", "https://[::1"),
    ("TOCSIN_PUBLIC_URL", "https://tocsin.example:99999"),
    ("TOCSIN_ADMIN_TOKEN", "short"),
    ("TOCSIN_ADMIN_TOKEN", "FAKE token with blanks"),
    ("TOCSIN_POLL_INTERVAL", "1s"),
    ("TOCSIN_POLL_INTERVAL", "2d"),
    ("TOCSIN_POLL_INTERVAL", "soon"),
    ("TOCSIN_EMAIL_FROM", "a b c"),
    ("TOCSIN_EMAIL_FROM", "a@b.example, c@d.example"),
    ("TOCSIN_CLOCK", "yesterday"),
    ("TOCSIN_CLOCK", "1999-12-31T23:59:59Z@60"),
    ("TOCSIN_CLOCK", "2100-01-01T00:00:00Z@60"),
    ("TOCSIN_CLOCK", "9999-12-31T00:00:00Z@60"),
    ("TOCSIN_EGRESS_ALLOW", "10.0.0.5/8"),
    ("TOCSIN_SMTP_URL", "ftp://mail"),
    ("TOCSIN_PROXY", "socks5://127.0.0.1:1080"),
    ("TOCSIN_HEARTBEAT_URL", "http://10.0.0.5/FAKE-check"),
    ("ANTHROPIC_BASE_URL", "api.anthropic.com"),
    ("TOCSIN_DATABASE_URL", "mysql://db/tocsin"),
    ("TOCSIN_DATABASE_URL", "postgresql://db:port/tocsin"),
    ("TOCSIN_SECRET_KEY", ","),
    ("TOCSIN_DATA_DIR", "/proc/no-such-folder"),
    ("TOCSIN_PORT", "eighty"),
    ("TOCSIN_SLACK_API_URL", "slack.com"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_is_a_line_that_names_it_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    if name == "TOCSIN_SECRET_KEY":
        monkeypatch.setenv("TOCSIN_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    elif name != "TOCSIN_DATA_DIR":
        monkeypatch.setenv("TOCSIN_SECRET_KEY", SECRET_KEY)
    checked = check()
    assert checked.code == 2
    (line,) = checked.lines
    assert line.startswith("no  settings: ")
    assert name in line
    assert "FAKE" not in line


LEAVES_NOTHING = [(name, value) for name, value in WRONG if name not in {"TOCSIN_DATA_DIR", "TOCSIN_SECRET_KEY"}]


@pytest.mark.parametrize(("name", "value"), LEAVES_NOTHING)
def test_what_is_refused_leaves_nothing_in_the_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    monkeypatch.setenv("TOCSIN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(starting, "configure_logging", lambda _: None)  # the runner closes its standard error
    for command in ([], ["up"], ["poll"]):
        assert check().code == 2 if not command else CliRunner().invoke(cli, command).exit_code != 0
        assert list(tmp_path.iterdir()) == []


def test_a_fast_clock_is_refused_beside_a_real_organisation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_CLOCK", "now@60")
    monkeypatch.setenv("TOCSIN_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", "sk-ant-admin01-FAKE")
    checked = check()
    assert checked.code == 2
    assert "TOCSIN_CLOCK with ANTHROPIC_ADMIN_KEY: api.anthropic.com leads off this machine" in checked.lines[0]
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:8402")
    require_sound(Settings())


def test_an_issuer_that_could_let_nobody_in_is_a_mistake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOCSIN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TOCSIN_OIDC_ISSUER", "https://login.example.com")
    assert "TOCSIN_OIDC_CLIENT_ID: TOCSIN_OIDC_ISSUER is set" in check().lines[0]
    monkeypatch.setenv("TOCSIN_OIDC_CLIENT_ID", "tocsin")
    assert "TOCSIN_OIDC_ROLES: say which group has which role" in check().lines[0]
    monkeypatch.setenv("TOCSIN_OIDC_ROLES", "tocsin-admins=admin")
    require_sound(Settings())
    monkeypatch.setenv("TOCSIN_OIDC_ROLES", "tocsin-admins")
    assert "TOCSIN_OIDC_ROLES: write groups and roles such as" in check().lines[0]


def test_a_drill_has_a_data_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOCSIN_DATA_DIR", str(tmp_path))
    assert Settings().own_folder == tmp_path
    monkeypatch.setenv("TOCSIN_CLOCK", "now@60")
    assert Settings().own_folder == tmp_path / "drill"


def test_every_wrong_setting_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_POLL_INTERVAL", "1s")
    monkeypatch.setenv("TOCSIN_PUBLIC_URL", "foo")
    assert [line.partition(": ")[2].partition(":")[0] for line in check().lines] == [
        "TOCSIN_PUBLIC_URL",
        "TOCSIN_POLL_INTERVAL",
    ]


def test_a_short_interval_is_refused_in_words_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_POLL_INTERVAL", "1s")
    with pytest.raises(ValidationError) as raised:
        Settings()
    assert wrong_settings(raised.value) == ["TOCSIN_POLL_INTERVAL: must be between 1m and 1d"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOCSIN_PUBLIC_URL", "http://tocsin.example:8400/below"),
        ("TOCSIN_ADMIN_TOKEN", "tcn_FAKE-admin-token"),
        ("TOCSIN_POLL_INTERVAL", "1m"),
        ("TOCSIN_POLL_INTERVAL", "1d"),
        ("TOCSIN_DATABASE_URL", "postgres://tocsin:a/b@c@db:5432/tocsin?sslmode=require"),
        ("TOCSIN_DATABASE_URL", "postgresql:///tocsin?host=/run/postgresql"),
        ("TOCSIN_DATABASE_URL", "postgresql+psycopg://tocsin@[::1]:5432/tocsin"),
        ("TOCSIN_CLOCK", "now@60"),
    ],
)
def test_what_is_right_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    taken = getattr(Settings(), name.removeprefix("TOCSIN_").lower())
    assert (taken.get_secret_value() if isinstance(taken, SecretStr) else taken) == value


@pytest.mark.usefixtures("_installed")
def test_where_all_is_well_every_line_says_so() -> None:
    checked = check()
    assert checked.code == 0
    assert [line.partition(":")[0] for line in checked.lines] == ["ok  settings", "ok  database"]


def test_a_database_that_is_away_is_a_line_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_DATABASE_URL", f"postgresql://tocsin:FAKE-word@127.0.0.1:{free_port()}/tocsin")
    monkeypatch.setenv("TOCSIN_SECRET_KEY", SECRET_KEY)
    checked = check()
    assert checked.code == 1
    assert checked.lines[0].startswith("ok  settings")
    assert checked.lines[1].startswith("no  database: TOCSIN_DATABASE_URL leads to no database")
    assert "FAKE" not in "".join(checked.lines)


@pytest.mark.usefixtures("_installed")
def test_a_mail_server_that_is_away_is_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("TOCSIN_SMTP_URL", f"smtp://127.0.0.1:{port}")
    checked = check()
    assert checked.code == 1
    assert [line for line in checked.lines if line.startswith("no")] == [checked.lines[2]]
    assert checked.lines[2].startswith(f"no  mail server: 127.0.0.1:{port}: mail server:")


@pytest.mark.usefixtures("_installed")
async def test_a_mail_server_that_lets_us_in_is_well_and_gets_no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeSmtp(starttls=True) as smtp:
        monkeypatch.setenv("TOCSIN_SMTP_URL", smtp.url)
        checked = await asyncio.to_thread(check)
        assert checked.lines[2] == f"ok  mail server: 127.0.0.1:{smtp.port} answers; no mail was sent"
        monkeypatch.setenv("TOCSIN_SMTP_URL", smtp.url_for("FAKE-wrong"))
        refused = await asyncio.to_thread(check)
        assert refused.lines[2].startswith(f"no  mail server: 127.0.0.1:{smtp.port}: mail server: 535")
        assert smtp.mails == []


@pytest.mark.usefixtures("_installed")
async def test_a_fast_clock_is_refused_while_a_stored_source_leads_off_this_machine(
    uow: UowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utc("2026-11-16")
    key = FernetVault(SECRET_KEY).seal("sk-ant-admin01-FAKE-key")
    async with uow() as unit:
        source = Source(CLAUDE, "https://api.anthropic.com", key)
        await unit.sources.add(Resource("src_1", "claude", 1, now, now, {}, source))
    monkeypatch.setenv("TOCSIN_CLOCK", "now@60")
    checked = await asyncio.to_thread(check)
    assert checked.code == 1
    assert "the source 'claude' (https://api.anthropic.com) would be polled as often as that" in checked.lines[1]


@pytest.mark.slow  # seconds pass between its attempts
@pytest.mark.usefixtures("_installed")
async def test_a_source_that_is_away_is_a_line_and_its_attempts_are_none(
    uow: UowFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("ANTHROPIC_BASE_URL", address)
    now = utc("2026-11-16")
    key = FernetVault(SECRET_KEY).seal("sk-ant-admin01-FAKE-key")
    async with uow() as unit:
        await unit.sources.add(Resource("src_1", "claude", 1, now, now, {}, Source(CLAUDE, address, key)))
        await unit.polling_states.add(SourceState("src_1", 0, now))
    checked = await asyncio.to_thread(check)
    assert checked.code == 1
    assert checked.lines[2].startswith("no  source claude: ")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")
