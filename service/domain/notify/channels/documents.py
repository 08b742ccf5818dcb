"""How a channel's configuration is written in JSON. The API makes its documents and its schema of this.

A field without a mark is a line of text, a choice (Literal), a number or a yes or no, as its type says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum, auto

from service.domain.notify.channels.doubts import no_doubt


class Form(Enum):
    """The kind of value that a field holds, and so how it is read."""

    LINE = auto()
    """At most 500 characters, none of them a control character."""
    REFERENCE = auto()
    """The same, of 1 to 200 characters."""
    MAIL_ADDRESS = auto()
    ADDRESS = auto()
    """A web address. A new one has to pass the egress guard, and requires the channel's secrets to be sent again."""
    SECRET = auto()
    """Sealed, and never shown: 1 to 2000 printable characters."""
    SECRET_ADDRESS = auto()
    """A web address that is itself the secret."""
    CREDENTIALS = auto()
    """The value of an Authorization header, a secret as well."""


@dataclass(frozen=True, slots=True)
class JsonField:
    """The mark of a field: `Annotated[Sealed, JsonField(Form.SECRET)]`.

    `most`: how many there may be, where the field is a tuple; one at least. `read` returns what is kept of a text that
    was sent, and raises ValueError, without repeating a secret. `doubt` says why a secret that is kept is hardly right,
    without repeating it; empty where it may be.
    """

    form: Form = Form.LINE
    about: str = ""
    example: str | None = None
    most: int = 50
    read: Callable[[str], str] = str
    doubt: Callable[[str], str] = no_doubt


LINK = JsonField(about="what the link in its messages permits, without a login")
"""The mark of the field that every kind has, with a default of its own."""


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """The document of one kind of channel, or of several that are written alike.

    `kind` is how it is written there. `choose` returns the stored kind for the names of the fields that were sent, and
    raises Invalid; None where there is one stored kind, of the same name.
    """

    kind: str
    about: str = ""
    choose: Callable[[Collection[str]], str] | None = None


def without_slash(address: str) -> str:
    return address.rstrip("/")


def with_slash(address: str) -> str:
    return f"{without_slash(address)}/"
