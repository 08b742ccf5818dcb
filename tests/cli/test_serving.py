"""What a served connection is like."""

from __future__ import annotations

import socket

from service.cli.serving import listening


def test_an_answer_is_sent_without_waiting_for_an_acknowledgement() -> None:
    """An accepted connection inherits it: else the body of each answer on a kept connection is 40 ms late."""
    with (
        listening("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
