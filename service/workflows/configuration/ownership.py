"""Owners and tags: one document, and the receivers of people who are named by a mail address or a Slack user's id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from service.domain.notify.personal_channels import personal_channel
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.labels import BUILT_IN
from service.domain.sources.ownership import MOST_OWNED, MOST_TAGS, OwnedMember, Ownership
from service.domain.values.errors import Invalid
from service.domain.values.lookalikes import require_visible
from service.domain.values.mail_addresses import person_of
from service.domain.values.names import listed, nearest
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Author, Draft, ResourceKind, create, put, the_only
from service.workflows.configuration.notify import Receivers
from service.workflows.ports.unit_of_work import UnitOfWork

NOTHING_OWNED = Ownership()


class Ownerships(ResourceKind[Ownership]):
    noun, prefix, plural, spec = "owners", "own", "owners", Ownership

    async def validate(self, uow: UnitOfWork, spec: Ownership, stored: Resource[Ownership] | None) -> None:
        if len(spec.items) > MOST_OWNED:
            raise Invalid(f"at most {MOST_OWNED:,} have owners or tags", "/items")
        receivers = await uow.receivers.named()
        for position, one in enumerate(spec.items):
            if one.owner and one.owner not in receivers:
                raise Invalid("the receiver has been deleted", f"/items/{position}/owner")
            require_tags(one.tags, f"/items/{position}/tags")


def require_tags(tags: Mapping[str, str], pointer: str) -> None:
    """Raises Invalid for tags that would pass for others, or for what an alert's own labels say, and for too many."""
    if len(tags) > MOST_TAGS:
        raise Invalid(f"at most {MOST_TAGS} tags", pointer)
    for name, value in tags.items():
        require_visible(value, f"{pointer}/{name}")
    for name in sorted(BUILT_IN & tags.keys()):
        raise Invalid(f"{name} is a label that every alert brings by itself: choose another name", f"{pointer}/{name}")


async def ownership(uow: UnitOfWork) -> Resource[Ownership] | None:
    """Returns the stored owners and tags, None before anybody has written some."""
    return await the_only(uow, Ownerships())


async def owned(uow: UnitOfWork) -> Ownership:
    stored = await ownership(uow)
    return stored.spec if stored else NOTHING_OWNED


async def put_ownership(uow: UnitOfWork, owners: Ownership, author: Author) -> Resource[Ownership]:
    """Replaces all owners and tags."""
    return await put(uow, Ownerships(), Draft("owners", {}, owners), author)


async def change_ownership(uow: UnitOfWork, changed: Iterable[OwnedMember], author: Author) -> Resource[Ownership]:
    """Replaces the owner and the tags of these members. The caller is the only writer."""
    return await put_ownership(uow, (await owned(uow)).with_members(changed), author)


class Addressees:
    """Receivers by what people call them: a name, an id, a mail address or a Slack user's id.

    The last two make a receiver where there is none of that name yet, however its mail address is capitalised.
    """

    def __init__(self, uow: UnitOfWork, author: Author, receivers: Iterable[Resource[Receiver]]) -> None:
        self._uow, self._author = uow, author
        self._receivers = list(receivers)
        self._by_text = {text: one for one in self._receivers for text in (one.name, one.id)}
        self._by_person = {person_of(one.name): one for one in reversed(self._receivers)}

    async def find(self, text: str, pointer: str) -> Resource[Receiver]:
        """Raises Invalid for what is neither, and for a Slack user whom no bot could write to."""
        known = self._by_text.get(text) or self._by_person.get(person_of(text))
        if known is not None:
            return known
        channel = personal_channel(text, (one.spec for one in self._receivers), pointer)
        if channel is None:
            near = nearest(text, (one.name for one in self._receivers))
            meant = f"; the nearest: {listed(near)}" if near else ""
            raise Invalid(
                f"there is no receiver {text!r}{meant}. A mail address or a Slack user's id would do, too", pointer
            )
        made = await create(self._uow, Receivers(), Draft(text, {}, Receiver((channel,))), self._author)
        self._by_text |= {made.name: made, made.id: made}
        self._by_person[person_of(made.name)] = made
        return made


async def addressees(uow: UnitOfWork, author: Author) -> Addressees:
    return Addressees(uow, author, await uow.receivers.readable())
