"""Mail addresses: the form of one, and when two are of the same person."""

from __future__ import annotations

import re

MAIL_ADDRESS = r'[^\x00-\x20\x7f@<>(),;:"\\\[\]]{1,64}@[A-Za-z0-9.-]{1,253}'
"""The expression of one."""
_WHOLE = re.compile(MAIL_ADDRESS)


def is_mail_address(text: str) -> bool:
    return _WHOLE.fullmatch(text) is not None


def is_same(text: str, other: str) -> bool:
    """Whether two texts are equal, or mail addresses of one person."""
    return text == other or ("@" in text and "@" in other and person_of(text) == person_of(other))


def person_of(text: str) -> str:
    """Returns the same text for addresses of one person; what is no address stays as it is.

    RFC 5321 lets a server tell upper from lower case before the @; none that people are hired with does.
    """
    return text.casefold() if is_mail_address(text) else text
