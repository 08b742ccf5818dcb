"""Whom a document notifies: a receiver by id or name, or `owner`, with the receiver for what nobody owns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from service.domain.values.errors import Invalid
from service.domain.values.mail_addresses import person_of
from service.workflows.ports.unit_of_work import UnitOfWork

OWNER = "owner"


class Addressee(NamedTuple):
    """`to_owner`: whoever owns what a message is about is notified, and the receiver where nobody does."""

    receiver_id: str
    to_owner: bool


async def receivers_by_reference(uow: UnitOfWork) -> dict[str, str]:
    """Returns receivers' ids by their ids and names, and by `person_of` those that are mail addresses."""
    named = await uow.receivers.named()
    people = {person_of(name): id for id, name in named.items()}
    return people | {text: id for id, name in named.items() for text in (name, id)}


def receiver_id(receivers: Mapping[str, str], reference: str, pointer: str) -> str:
    """Returns the id of a receiver by one of these references. Raises Invalid for one that is not there."""
    found = receivers.get(reference) or receivers.get(person_of(reference))
    if found is None:
        raise Invalid(f"there is no receiver {reference!r}", pointer)
    return found


def read_addressee(receivers: Mapping[str, str], receiver: str, fallback: str | None, pointer: str) -> Addressee:
    """`receivers` has ids by ids and names. Raises Invalid for an unknown receiver, and for `owner` by itself.

    A receiver may be called "owner": it is meant where there is no fallback.
    """
    if fallback is None:
        if receiver == OWNER and OWNER not in receivers:
            raise Invalid("name a fallback: the receiver of what nobody owns", f"{pointer}/fallback")
        return Addressee(receiver_id(receivers, receiver, f"{pointer}/receiver"), to_owner=False)
    if receiver != OWNER:
        raise Invalid("only the receiver `owner` has a fallback", f"{pointer}/fallback")
    return Addressee(receiver_id(receivers, fallback, f"{pointer}/fallback"), to_owner=True)
