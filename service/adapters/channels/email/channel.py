"""Mail over SMTP: one mail to all addresses of the channel."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from email.headerregistry import Address
from email.message import EmailMessage

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.email.mail import compose_mail
from service.adapters.channels.email.settings import SmtpServer, address
from service.domain.notify.channels.email import Email
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Delivery, Receipt
from service.domain.values.plain_text import NOTE_LENGTH, clean
from service.workflows.ports.channels import Channel, DeliveryError

STEP_TIMEOUT = 10.0
DELIVERY_TIMEOUT = 30.0
"""Seconds: for one SMTP command, and for all of them. A server may never answer a wrong password."""


LOGIN = frozenset({530, 534, 535, 538})
TOO_LARGE = 552


Refusals = Mapping[str, tuple[int, str]]
"""The server's answers about addresses that it refused."""


class EmailChannel:
    """Each message is a mail of its own in the alert's thread. A 4xx answer is tried again, a 5xx is not.

    Where only some of the addresses are refused the others have their mail, and no second one: the receipt names those
    that are left for later and those that were refused for good.
    """

    def __init__(self, config: Email, server: SmtpServer, sender: str) -> None:
        self._config = config
        self._server = server
        self._sender = sender

    async def send(self, delivery: Delivery) -> Receipt:
        try:
            sender = address(self._sender)
            to = tuple(address(recipient) for recipient in self._config.to)
            mail = compose_mail(delivery, sender, to)
        except ValueError:
            raise DeliveryError(
                "a header cannot be written: check the receiver's addresses and TOCSIN_EMAIL_FROM",
                Concern.CHANNEL,
            ) from None
        recipients = [one.addr_spec for one in to if one.addr_spec in delivery.left_to or not delivery.left_to]
        refusals = await self._hand_in(mail, sender, recipients)
        return _receipt(str(mail["In-Reply-To"] or mail["Message-ID"]), recipients, refusals)

    async def _hand_in(self, mail: EmailMessage, sender: Address, recipients: Sequence[str]) -> Refusals:
        """Gives the mail to the server. Returns what it said of addresses that it refused.

        Where others have had the mail before, a refusal for good of all the rest is no failure of the channel.
        """
        async with _explained():
            try:
                return await _send(mail, sender, recipients, self._server)
            except SMTPRecipientsRefused as error:
                if len(recipients) == len(self._config.to) or not _are_for_good(error):
                    raise
                return {one.recipient: (one.code, one.message) for one in error.recipients}


def open_channel(config: Email, needed: Dependencies) -> Channel:
    """Raises DeliveryError where no mail server is set up."""
    if needed.smtp_url is None:
        raise DeliveryError("mail is not set up: set TOCSIN_SMTP_URL", Concern.CHANNEL)
    return EmailChannel(config, SmtpServer.parse(needed.smtp_url), needed.email_from)


async def reach(server: SmtpServer, sender: str) -> None:
    """Connects, encrypts and logs in as for a mail, and sends none. Raises DeliveryError.

    The connection is cut at the end: an orderly end of TLS waits for the server, and may outlast the caller's loop.
    """
    async with _explained():
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=_own_name(address(sender)),
            use_tls=server.tls,
            start_tls=server.starttls,
            cert_bundle=server.ca_file,
            timeout=STEP_TIMEOUT,
        )
        await client.connect()
        connection = client.transport
        try:
            if server.username is not None:
                await client.login(server.username, server.password or "")
            await client.noop()
        finally:
            client.close()
            if isinstance(connection, asyncio.Transport):
                connection.abort()


async def _send(mail: EmailMessage, sender: Address, recipients: Sequence[str], server: SmtpServer) -> Refusals:
    refused, _ = await aiosmtplib.send(
        mail,
        sender=sender.addr_spec,
        recipients=list(recipients),
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        local_hostname=_own_name(sender),
        use_tls=server.tls,
        start_tls=server.starttls,
        cert_bundle=server.ca_file,
        timeout=STEP_TIMEOUT,
    )
    return {recipient: (code, text) for recipient, (code, text) in refused.items()}


def _receipt(post: str, recipients: Sequence[str], refusals: Refusals) -> Receipt:
    later = {recipient: answer for recipient, answer in refusals.items() if answer[0] < 500}
    never = {recipient: answer for recipient, answer in refusals.items() if answer[0] >= 500}
    parts = [f"sent to {len(recipients) - len(refusals)}"]
    parts += [f"later: {_named(later)}"] if later else []
    parts += [f"refused: {_named(never)}"] if never else []
    return Receipt(post, "; ".join(parts), left_to=tuple(later), refused=_named(never), delayed=_named(later))


def _named(refusals: Refusals) -> str:
    return ", ".join(f"{recipient} ({_said(*answer)})" for recipient, answer in refusals.items())


def _are_for_good(error: SMTPRecipientsRefused) -> bool:
    return all(refusal.code >= 500 for refusal in error.recipients)


def _own_name(sender: Address) -> str:
    """How we introduce ourselves."""
    return sender.domain.encode("idna").decode("ascii")


@asynccontextmanager
async def _explained() -> AsyncIterator[None]:
    """Limits the time of a mail server, and makes a DeliveryError of all that goes wrong."""
    try:
        async with asyncio.timeout(DELIVERY_TIMEOUT):
            yield
    except SMTPRecipientsRefused as error:
        raise _all_refused(error) from None
    except SMTPResponseException as error:
        raise DeliveryError(_said(error.code, error.message), _concern(error)) from None
    except ssl.SSLError as error:  # before ValueError, which a refused certificate also is
        raise DeliveryError(f"no trusted encryption with the mail server: {_line(str(error))}") from None
    except (SMTPNotSupported, ValueError) as error:
        raise DeliveryError(f"this mail cannot be sent: {_line(str(error))}", Concern.CHANNEL) from None
    except (SMTPException, TimeoutError, OSError) as error:
        raise DeliveryError(f"mail server: {_line(str(error)) or type(error).__name__}") from None


def _concern(error: SMTPResponseException) -> Concern:
    """The concern of an answer (RFC 5321, 4.2.3; 4954, 6): 4xx passes, and a 5xx after DATA is about the mail."""
    if error.code < 500:
        return Concern.MOMENT
    if isinstance(error, SMTPAuthenticationError) or error.code in LOGIN:
        return Concern.CREDENTIAL
    return Concern.MESSAGE if isinstance(error, SMTPDataError) or error.code == TOO_LARGE else Concern.CHANNEL


def _all_refused(error: SMTPRecipientsRefused) -> DeliveryError:
    """The channel's failure only if no address might be taken later."""
    said = _named({one.recipient: (one.code, one.message) for one in error.recipients})
    return DeliveryError(f"refused: {said}", Concern.CHANNEL if _are_for_good(error) else Concern.MOMENT)


def _said(code: int, text: str) -> str:
    return f"mail server: {code} {_line(text)}"


def _line(text: str) -> str:
    return clean(text, NOTE_LENGTH)
