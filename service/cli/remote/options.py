"""A server's complaint about a value, in the words of the option or argument that gave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from service.bootstrap.errors import OptionError
from service.client.errors import ValueRefused


@contextmanager
def given_by(options: Mapping[str, str]) -> Iterator[None]:
    """`options` are by the first part of the server's pointer: {"group_by": "--by"}.

    Raises OptionError where an option gave all that is wrong, so that it ends like any wrong option.
    """
    try:
        yield
    except ValueRefused as error:
        wrong = [(mistake.pointer.split("/")[1:2], mistake.detail) for mistake in error.mistakes]
        if not wrong or any(not first or first[0] not in options for first, _ in wrong):
            raise
        raise OptionError("; ".join(f"{options[first[0]]}: {detail}" for first, detail in wrong)) from error
