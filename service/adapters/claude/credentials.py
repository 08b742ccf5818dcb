"""The admin key: sent with every request, shown nowhere."""

from __future__ import annotations

import re
from collections.abc import Generator

import httpx

from service.domain.sources.concerns import SourceConcern
from service.workflows.ports.sources import SourceError

_ADMIN_PREFIX = "sk-ant-admin"


class AdminKey(httpx.Auth):
    """Puts the key into the `x-api-key` header when a request leaves, and keeps it out of every text.

    Raises SourceError for what cannot stand in a header: httpx would quote it in its own error.
    """

    def __init__(self, key: str) -> None:
        self._key = key.strip()
        if not self._key or not all("!" <= character <= "~" for character in self._key):
            raise SourceError(
                "The admin key is empty or holds characters that no key has (a space, a line break, "
                "an accent): copy it again from the Claude Console.",
                retryable=False,
                concerns=SourceConcern.KEY,
            )

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["x-api-key"] = self._key
        yield request

    @property
    def looks_right(self) -> bool:
        """Whether its prefix is an admin key's. Other keys may do as well: this only chooses words."""
        return self._key.startswith(_ADMIN_PREFIX)

    def hidden_in(self, text: str) -> str:
        """The text with the key blacked out, in any case, should a server or proxy have echoed it."""
        return re.sub(re.escape(self._key), "[admin key]", text, flags=re.IGNORECASE)

    def __repr__(self) -> str:
        return "AdminKey()"
