"""Who may connect to the embedded server: accounts of this machine that the kernel vouches for, without a password.

The files stand beside PostgreSQL's own, which stay as they are: the previous release starts the server with those.
"""

from pathlib import Path

from service.adapters.embedded_postgres.account import ServerAccount

SUPERUSER = "postgres"
RULES, NAMES = "tocsin_hba.conf", "tocsin_ident.conf"
MAP = "tocsin"


def write_admission(data: Path, account: ServerAccount) -> tuple[str, str]:
    """Write both files into the data folder; give the settings by which the server finds them."""
    _write(data / RULES, account, f"local all all peer map={MAP}\n")
    _write(data / NAMES, account, "".join(f'{MAP} "{name}" {SUPERUSER}\n' for name in account.clients))
    folder = account.name_of(data)
    return f"hba_file={folder / RULES}", f"ident_file={folder / NAMES}"


def _write(path: Path, account: ServerAccount, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    account.take(path)
