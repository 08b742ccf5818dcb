"""Mail's settings: TOCSIN_SMTP_URL, as `smtp://user:pass@host:587?starttls=required`, and TOCSIN_EMAIL_FROM."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

PORTS = {"smtp": 587, "smtps": 465}
SETTINGS = frozenset({"starttls", "cafile"})


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The server where mail is handed in. `tls`: encrypted from the first byte; `starttls`: before anything is said.

    STARTTLS is required unless the host is this machine (where nothing crosses a wire) or the URL says
    `?starttls=never`; there is no opportunistic mode, which anyone on the path could switch off.
    `ca_file` holds the certificates to trust instead of the system's (`?cafile=/etc/ssl/own-ca.pem`).
    """

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    tls: bool
    starttls: bool
    ca_file: str | None = None

    @classmethod
    def parse(cls, url: str) -> SmtpServer:
        """Raises ValueError, without repeating the URL: it may hold a password."""
        parts = _split(url)
        assert parts.hostname is not None
        query = _query(parts.query)
        tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or PORTS[parts.scheme],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
            starttls=not tls and _starttls(query.get("starttls"), parts.hostname),
            ca_file=query.get("cafile"),
        )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("TOCSIN_SMTP_URL has an impossible host or port") from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError("TOCSIN_SMTP_URL must look like smtp://user:pass@host:587 or smtps://user:pass@host:465")
    return parts


def _query(text: str) -> dict[str, str]:
    found = {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
    if unknown := sorted(found.keys() - SETTINGS):
        raise ValueError(f"TOCSIN_SMTP_URL knows no setting {', '.join(unknown)}, only {sorted(SETTINGS)}")
    return found


def _starttls(wanted: str | None, host: str) -> bool:
    if wanted not in {None, "required", "never"}:
        raise ValueError("starttls in TOCSIN_SMTP_URL must be required or never")
    return wanted == "required" if wanted else not _is_this_machine(host)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address(text: str) -> Address:
    """Reads one mailbox: "ops@example.com" or "Tocsin <ops@example.com>". Raises ValueError, also for several."""
    name, bracket, spec = text.strip().rpartition("<")
    try:
        found = Address(display_name=name.strip(' "'), addr_spec=(spec.removesuffix(">") if bracket else spec))
    except (MessageError, ValueError, IndexError):
        raise ValueError("not a mail address") from None
    if not found.username or not found.domain:
        raise ValueError("not a mail address")
    return found


def require_mail(smtp_url: str | None, email_from: str) -> None:
    """Raises ValueError for settings that make no sense."""
    if smtp_url is not None:
        SmtpServer.parse(smtp_url)
    try:
        address(email_from)
    except ValueError:
        raise ValueError("TOCSIN_EMAIL_FROM: write ops@example.com or Tocsin <ops@example.com>") from None
