"""Attempts that were refused, for the audit log: so many a minute at most, so that nobody can fill it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from service.workflows.configuration.engine import Author, record
from service.workflows.ports.access import AccessUnit

if TYPE_CHECKING:  # all that the product stores: a command about tokens needs little of it
    from service.workflows.ports.unit_of_work import Ports

SLACK_REFUSED, REQUEST_REFUSED = "slack.refused", "request.refused"
MOST_REFUSALS = 30
"""A minute."""


async def note_refusal(uow: AccessUnit, author: Author, action: str, subject: str, detail: str) -> None:
    """Records a refusal, unless refusals of the last minute have filled the log already."""
    newest = (await uow.audit.page(limit=MOST_REFUSALS, cursor=None)).items
    since = author.at - timedelta(minutes=1)
    refused = [event for event in newest if event.action in {SLACK_REFUSED, REQUEST_REFUSED} and event.at > since]
    if len(refused) < MOST_REFUSALS:
        await record(uow, author, action, subject, detail)


async def run_note_refusal(ports: Ports, author: Author, subject: str, detail: str) -> None:
    """Records that a request was refused whose caller is known."""
    async with ports.uow() as uow:
        await note_refusal(uow, author, REQUEST_REFUSED, subject, detail)
