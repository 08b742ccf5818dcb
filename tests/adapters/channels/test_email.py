"""Mail as a real server receives it: threaded, marked as automatic, encrypted, and never forged by a name."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from service.adapters.channels.email.channel import EmailChannel
from service.adapters.channels.email.settings import SmtpServer, address
from service.domain.notify.channels.email import Email
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Action
from service.workflows.ports.channels import DeliveryError
from tests.fakes.smtp import FakeSmtp, Mail
from tests.sample_alerts import ALERT, EVIDENCE, delivery, event, message

SENDER = "Tocsin <tocsin@example.com>"
OPS, CFO = "ops@example.com", "cfo@example.com"
ROOT = f"<{ALERT.id}@example.com>"


@pytest_asyncio.fixture
async def smtp() -> AsyncIterator[FakeSmtp]:
    async with FakeSmtp() as server:
        yield server


def channel(url: str, *to: str, sender: str = SENDER) -> EmailChannel:
    return EmailChannel(Email(to or (OPS,)), SmtpServer.parse(url), sender)


async def refused_by(server: FakeSmtp, *to: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel(server.url, *to).send(delivery())
    return caught.value


def only(mails: list[Mail]) -> Mail:
    (mail,) = mails
    return mail


async def test_an_alert_arrives_as_text_and_html_with_the_dollars_in_the_subject(smtp: FakeSmtp) -> None:
    await channel(smtp.url, OPS, CFO).send(delivery())
    mail = only(smtp.mails)
    assert mail.recipients == [OPS, CFO]
    assert mail.subject == "Budget eng monthly (workspace Research) exceeded: $12.34 of $10.00, 18 days left"
    assert mail.text.startswith(f"{mail.subject}\n\nTop: model claude-opus-4-5 $9.10 (73%).")
    assert "Budget:           $10.00 for October 2026\n" in mail.text
    assert "What next: Find and stop the largest spender, API key ci-runner: https://platform.claude.com/" in mail.text
    assert mail.text.index("What next") < mail.text.index("Spent:")
    assert "exceeded: $12.34 of $10.00, 18 days left</h1>" in mail.html
    assert '<a href="https://platform.claude.com/settings/keys"' in mail.html


async def test_machines_see_that_it_is_automatic_and_which_list_it_is(smtp: FakeSmtp) -> None:
    await channel(smtp.url).send(delivery())
    headers = only(smtp.mails).message
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["List-Id"] == "Tocsin alerts <alerts.example.com>"
    assert headers["Date"] == "Wed, 14 Oct 2026 09:31:05 +0000"
    assert headers["From"] == SENDER


async def test_later_mails_of_an_alert_stand_in_the_first_ones_thread(smtp: FakeSmtp) -> None:
    mails = channel(smtp.url)
    first = await mails.send(delivery(Action.OPEN))
    raised = await mails.send(delivery(Action.RAISE, post=first.post))
    await mails.send(delivery(Action.RESOLVE, post=raised.post))
    opened, raise_, resolve = (mail.message for mail in smtp.mails)
    assert opened["References"] == ROOT
    assert opened["In-Reply-To"] is None
    assert raise_["In-Reply-To"] == raise_["References"] == resolve["References"] == opened["Message-ID"]
    assert len({opened["Message-ID"], raise_["Message-ID"], resolve["Message-ID"]}) == 3
    assert smtp.mails[2].subject.startswith("Resolved by Ada: Budget eng monthly ")


async def test_a_long_domain_leaves_message_ids_whole(smtp: FakeSmtp) -> None:
    long = channel(smtp.url, sender=f"tocsin@{'sub.' * 20}example.com")
    first = await long.send(delivery())
    await long.send(delivery(Action.RAISE, post=first.post))
    assert first.post is not None
    assert smtp.mails[1].message["In-Reply-To"] == first.post
    assert f"In-Reply-To: {first.post}" in smtp.mails[1].raw.decode()


async def test_a_second_attempt_has_the_same_message_id(smtp: FakeSmtp) -> None:
    for action, post in ((Action.OPEN, None), (Action.RAISE, ROOT)):
        for _ in range(2):
            await channel(smtp.url).send(delivery(action, post=post))
    ids = [mail.message["Message-ID"] for mail in smtp.mails]
    assert ids[0] == ids[1] != ids[2] == ids[3]


async def test_who_gets_an_alert_by_two_channels_gets_two_mails(smtp: FakeSmtp) -> None:
    """A team's mail, and then a step that calls one of them: mail servers drop a second mail of one Message-ID."""
    for number in range(2):
        await channel(smtp.url).send(replace(delivery(Action.OPEN), id=f"ntf_{number}"))
    team, person = (mail.message for mail in smtp.mails)
    assert team["Message-ID"] != person["Message-ID"]
    assert team["References"] == person["References"] == ROOT


async def test_whoever_missed_the_first_mail_gets_the_next_as_a_mail_of_its_own_in_the_same_thread(
    smtp: FakeSmtp,
) -> None:
    receipt = await channel(smtp.url).send(delivery(Action.RAISE))
    mail = only(smtp.mails).message
    assert receipt.post == mail["In-Reply-To"] == ROOT
    assert mail["Message-ID"] != ROOT


async def test_a_name_cannot_add_a_header_or_markup(smtp: FakeSmtp) -> None:
    hostile = "x\r\nBcc: everybody@example.com\r\n\r\n<script>alert(1)</script>"
    said = message(event(evidence=replace(EVIDENCE, budget_name=hostile, scope_name=hostile)))
    await channel(smtp.url).send(delivery(said=said))
    mail = only(smtp.mails)
    assert mail.message["Bcc"] is None
    assert mail.recipients == [OPS]
    assert "<script>" not in mail.html
    assert "&lt;script&gt;" in mail.html


async def test_a_message_that_was_not_cleaned_is_refused_rather_than_forged(smtp: FakeSmtp) -> None:
    said = replace(message(), headline="x\r\nBcc: everybody@example.com")
    with pytest.raises(DeliveryError) as caught:
        await channel(smtp.url).send(delivery(said=said))
    assert caught.value.concerns is not Concern.MOMENT
    assert smtp.mails == []


async def test_emoji_and_right_to_left_names_arrive_whole(smtp: FakeSmtp) -> None:
    said = message(event(evidence=replace(EVIDENCE, budget_name="🔥 מחקר 研究")))
    await channel(smtp.url).send(delivery(said=said))
    mail = only(smtp.mails)
    assert "🔥 מחקר 研究" in mail.subject
    assert "🔥 מחקר 研究" in mail.text
    assert "🔥 מחקר 研究" in mail.html


@pytest.mark.parametrize(
    ("to", "sender"),
    [
        ("ops@example.com\r\nBcc: everybody@example.com", SENDER),
        ("ops@example.com, cfo@example.com", SENDER),
        ("not an address", SENDER),
        ("", SENDER),
        (OPS, "tocsin"),
        (OPS, "Tocsin\r\nBcc: everybody@example.com <tocsin@example.com>"),
    ],
)
async def test_what_is_not_one_address_is_refused_before_anything_is_sent(smtp: FakeSmtp, to: str, sender: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        await channel(smtp.url, to, sender=sender).send(delivery())
    assert caught.value.concerns is not Concern.MOMENT
    assert smtp.mails == []


def test_a_display_name_may_be_quoted() -> None:
    found = address('"Tocsin, the bell" <tocsin@example.com>')
    assert (found.display_name, found.addr_spec) == ("Tocsin, the bell", "tocsin@example.com")


@pytest.mark.parametrize(
    ("answer", "permanent"), [("452 4.2.2 mailbox full", False), ("550 5.1.1 no such mailbox", True)]
)
async def test_a_refused_address_is_tried_again_only_after_a_4xx(answer: str, permanent: bool) -> None:
    async with FakeSmtp(refused={OPS: answer}) as server:
        error = await refused_by(server)
    assert (error.concerns is not Concern.MOMENT) is permanent
    assert answer in error.reason


async def test_addresses_all_refused_are_tried_again_while_one_may_yet_be_taken() -> None:
    async with FakeSmtp(refused={OPS: "550 no such mailbox", CFO: "452 mailbox full"}) as server:
        error = await refused_by(server, OPS, CFO)
    assert error.concerns is Concern.MOMENT


async def test_one_refused_address_does_not_keep_the_mail_from_the_others() -> None:
    async with FakeSmtp(refused={OPS: "550 no such mailbox"}) as server:
        receipt = await channel(server.url, OPS, CFO).send(delivery())
    assert only(server.mails).recipients == [CFO]
    assert receipt.detail == "sent to 1; refused: ops@example.com (mail server: 550 no such mailbox)"


@pytest.mark.parametrize(("answer", "permanent"), [("451 4.3.0 try later", False), ("554 5.7.1 looks like spam", True)])
async def test_a_refused_mail_is_tried_again_only_after_a_4xx(answer: str, permanent: bool) -> None:
    async with FakeSmtp(data_answer=answer) as server:
        error = await refused_by(server)
    assert (error.concerns is not Concern.MOMENT) is permanent
    assert answer in error.reason


async def test_a_server_that_insists_on_encryption_and_a_login_gets_both() -> None:
    async with FakeSmtp(starttls=True) as server:
        await channel(server.url).send(delivery())
    assert only(server.mails).encrypted


async def test_a_wrong_password_is_permanent_and_stays_secret(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeSmtp(starttls=True) as server:
        with caplog.at_level(logging.DEBUG), pytest.raises(DeliveryError) as caught:
            await channel(server.url_for("FAKE-wrong-password")).send(delivery())
    assert caught.value.concerns is not Concern.MOMENT
    assert "535" in caught.value.reason
    assert "FAKE-wrong-password" not in caught.value.reason + caplog.text
    assert server.mails == []


async def test_a_certificate_nobody_vouches_for_gets_no_mail() -> None:
    async with FakeSmtp(starttls=True) as server:
        with pytest.raises(DeliveryError, match="no trusted encryption") as caught:
            await channel(server.url.partition("&cafile=")[0]).send(delivery())
    assert caught.value.concerns is Concern.MOMENT
    assert server.mails == []


async def test_a_server_without_starttls_gets_no_mail_where_it_is_required(smtp: FakeSmtp) -> None:
    with pytest.raises(DeliveryError, match="STARTTLS") as caught:
        await channel(f"{smtp.url}?starttls=required").send(delivery())
    assert caught.value.concerns is Concern.MOMENT
    assert smtp.mails == []


async def test_a_server_that_is_not_there_is_tried_again_later() -> None:
    async with FakeSmtp() as server:
        url = server.url
    with pytest.raises(DeliveryError) as caught:
        await channel(url).send(delivery())
    assert caught.value.concerns is Concern.MOMENT


@pytest.mark.parametrize(
    ("url", "starttls", "tls", "port"),
    [
        ("smtp://mail.example.com", True, False, 587),
        ("smtp://mail.example.com:25?starttls=never", False, False, 25),
        ("smtp://localhost:1025", False, False, 1025),
        ("smtp://127.0.0.1:1025", False, False, 1025),
        ("smtp://[::1]:1025", False, False, 1025),
        ("smtp://127.0.0.1:1025?starttls=required", True, False, 1025),
        ("smtp://localhost.example.com", True, False, 587),
        ("smtps://mail.example.com", False, True, 465),
    ],
)
def test_encryption_is_required_unless_the_server_is_this_machine(
    url: str, starttls: bool, tls: bool, port: int
) -> None:
    server = SmtpServer.parse(url)
    assert (server.starttls, server.tls, server.port) == (starttls, tls, port)


def test_user_and_password_are_percent_decoded_and_not_shown() -> None:
    server = SmtpServer.parse("smtp://ops%40example.com:FAKE%2Fpass%3Aword@mail.example.com?cafile=/etc/ca.pem")
    assert (server.username, server.password) == ("ops@example.com", "FAKE/pass:word")
    assert server.ca_file == "/etc/ca.pem"
    assert "FAKE" not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:FAKEpass@mail.example.com",
        "smtp://",
        "mail.example.com:587",
        "smtp://user:FAKEpass@mail.example.com:99999",
        "smtp://user:FAKEpass@mail.example.com:port",
        "smtp://user:FAKEpass@mail.example.com/path",
        "smtp://user:FAKEpass@mail.example.com?starttls=maybe",
        "smtp://user:FAKEpass@mail.example.com?startls=required",
        "smtp://user:FAKEpass@[mail",
    ],
)
def test_a_url_that_makes_no_sense_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="TOCSIN_SMTP_URL") as caught:
        SmtpServer.parse(url)
    assert "FAKEpass" not in str(caught.value)
