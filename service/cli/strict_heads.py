"""Requests whose end two servers may see in two places are refused: behind a proxy, one caller could speak as another.

h11 takes four forms that RFC 9112 lets a server refuse: a length beside a transfer coding (6.1), a transfer coding in
HTTP/1.0 (6.1), a line that only a LF ends (2.2), and a folded header (5.2).
"""

from __future__ import annotations

import re
from typing import Any

import h11

_BARE_LF_OR_FOLD = re.compile(rb"(?<!\r)\n|\n[ \t]")


class StrictConnection(h11.Connection):
    """A server's connection. `next_event` raises RemoteProtocolError, after which it takes nothing more."""

    def next_event(self) -> Any:
        if self.their_state is h11.IDLE:
            head, _, _ = self.trailing_data[0].partition(b"\r\n\r\n")
            if _BARE_LF_OR_FOLD.search(head):
                raise h11.RemoteProtocolError("a line ends with LF alone, or a header is folded")
        event = super().next_event()
        if isinstance(event, h11.Request) and _is_ambiguous(event):
            raise h11.RemoteProtocolError("Transfer-Encoding beside Content-Length, or in HTTP/1.0")
        return event


def _is_ambiguous(request: h11.Request) -> bool:
    names = {name for name, _ in request.headers}
    if b"transfer-encoding" not in names:
        return False
    return b"content-length" in names or request.http_version < b"1.1"
