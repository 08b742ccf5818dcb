"""A local mail server on aiosmtpd: keeps mails, refuses on demand, and can insist on STARTTLS."""

from __future__ import annotations

import asyncio
import datetime
import email
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from types import TracebackType

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USERNAME, PASSWORD = "tocsin", "FAKE-mail-password"


@dataclass(frozen=True)
class Mail:
    """A mail as it was handed in: the envelope and the parsed message."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    raw: bytes
    encrypted: bool

    @property
    def subject(self) -> str:
        """Unfolded; the standard library may fold right after "Subject:", which leaves a space in front."""
        return str(self.message["Subject"]).strip()

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")


class FakeSmtp:
    """`async with FakeSmtp() as smtp:` listens on 127.0.0.1; `smtp.url` is for TOCSIN_SMTP_URL.

    `starttls` makes it insist on encryption, with a certificate of its own, and on the login above.
    `refused` maps addresses to the answer they get, such as "550 5.1.1 no such mailbox"; `data_answer` is what
    every mail gets.
    """

    def __init__(
        self, *, starttls: bool = False, refused: dict[str, str] | None = None, data_answer: str = "250 kept"
    ) -> None:
        self.mails: list[Mail] = []
        self.refused = refused or {}
        self.data_answer = data_answer
        self._starttls = starttls
        self._folder = tempfile.TemporaryDirectory()

    async def __aenter__(self) -> FakeSmtp:
        context = _server_context(self.ca_file) if self._starttls else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: self._session(context), "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()
        self._folder.cleanup()

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        if not self._starttls:
            return f"smtp://127.0.0.1:{self.port}"
        return self.url_for(PASSWORD)

    def url_for(self, password: str) -> str:
        query = f"starttls=required&cafile={self.ca_file}"
        return f"smtp://{USERNAME}:{password}@127.0.0.1:{self.port}?{query}"

    @property
    def ca_file(self) -> Path:
        return Path(self._folder.name) / "certificate.pem"

    def _session(self, context: ssl.SSLContext | None) -> SMTP:
        return SMTP(
            self,
            hostname="mail.test",
            tls_context=context,
            require_starttls=self._starttls,
            auth_required=self._starttls,
            authenticator=_authenticate,
        )

    # aiosmtpd's hooks.

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        if not self.data_answer.startswith("2"):
            return self.data_answer
        encrypted = session.ssl is not None
        self.mails.append(Mail(envelope.mail_from or "", list(envelope.rcpt_tos), message, envelope.content, encrypted))
        return self.data_answer


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, credentials: object
) -> AuthResult:
    right = LoginPassword(USERNAME.encode(), PASSWORD.encode())
    # handled=False lets aiosmtpd answer 535 itself.
    return AuthResult(success=credentials == right, handled=False)


def _server_context(certificate_file: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_file = certificate_file.with_name("key.pem")
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate_file, key_file)
    return context
