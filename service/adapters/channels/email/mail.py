"""A message as a mail: headers that thread it and mark it as automatic, a text part and an HTML part."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from email.headerregistry import Address, HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from service.domain.alerts.alert import AlertState
from service.domain.messages.console_pages import NAMES as PAGE_NAMES
from service.domain.messages.message import badge, unlisted_words
from service.domain.notify.notification import Action, Delivery, Message, MessageForm
from service.domain.values.severity import Severity

CALM_COLOUR = "#2f7d4f"
COLOURS: Mapping[Severity, str] = {
    Severity.INFO: "#1d4f91",
    Severity.WARNING: "#9a6a00",
    Severity.ERROR: "#b8480c",
    Severity.CRITICAL: "#b3261e",
}


def compose_mail(delivery: Delivery, sender: Address, to: tuple[Address, ...]) -> EmailMessage:
    """Later mails of an alert refer to the first one with `delivery.post`.

    A repeated attempt has the same Message-ID as the one before, so that a second copy can be dropped; the first mail
    to another channel has its own, since somebody may get both.
    """
    message = delivery.message
    mail = EmailMessage(policy=_policy())
    mail["Subject"] = message.one_line
    mail["From"] = sender
    mail["To"] = to
    _add_thread(mail, delivery, sender.domain)
    mail["Date"] = delivery.at
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["List-Id"] = f"Tocsin alerts <alerts.{sender.domain}>"
    mail.set_content(_render("alert.txt.j2", message))
    if delivery.form is MessageForm.PLAIN:
        return mail
    picture = delivery.picture
    cid = f"chart.{delivery.id}@{sender.domain}"
    alt = picture.alt if picture else ""
    mail.add_alternative(_render("alert.html.j2", message, cid if picture else "", alt), subtype="html")
    if picture is not None:
        html = mail.get_payload(1)
        assert isinstance(html, EmailMessage)
        html.add_related(picture.png, "image", "png", cid=f"<{cid}>", filename="chart.png", disposition="inline")
    file = delivery.attachment
    if file is not None:
        mail.add_attachment(file.text, subtype=file.media.removeprefix("text/"), filename=file.name)
    return mail


def _add_thread(mail: EmailMessage, delivery: Delivery, domain: str) -> None:
    """Names the thread by an id that no mail has: it holds together what goes to several channels."""
    thread, own = f"<{delivery.message.alert_id}@{domain}>", f"<{delivery.id}@{domain}>"
    mail["Message-ID"] = own
    if delivery.action is not Action.OPEN:
        mail["In-Reply-To"] = delivery.post or thread
        mail["References"] = delivery.post or thread
    elif own != thread:
        mail["References"] = thread


@functools.cache
def _policy() -> EmailPolicy[EmailMessage]:
    """The library would fold a long In-Reply-To into encoded words, which no mail client takes for an id."""
    headers = HeaderRegistry()
    for name in ("in-reply-to", "references"):
        headers.map_to_type(name, MessageIDHeader)  # type: ignore[arg-type]  # typeshed: not a BaseHeader
    return SMTP.clone(header_factory=headers)


@functools.cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("service.adapters.channels.email"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _render(template: str, message: Message, cid: str = "", alt: str = "") -> str:
    return (
        _templates()
        .get_template(template)
        .render(
            message=message,
            cid=cid,
            alt=alt,
            badge=badge(message),
            page_name=PAGE_NAMES.get(message.page, ""),
            colours=COLOURS,
            calm=CALM_COLOUR,
            unlisted=unlisted_words(message),
            colour=CALM_COLOUR if message.state is AlertState.RESOLVED else COLOURS[message.severity],
            width=max((len(label) for label, _ in message.facts), default=0) + 2,
        )
    )
