"""Stretches of work with ids: each log line inside has them, and where traces are collected they are a span's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from structlog.contextvars import bound_contextvars

Ids = Mapping[str, str]
"""No secret, no name of a person and no address may be among them."""
Note = Callable[[Ids], None]
"""Adds ids that are known only later."""


class Spans(Protocol):
    def span(self, name: str, ids: Ids) -> AbstractContextManager[Note]:
        """Work that goes on while the block lasts. Of what is thrown inside only the type is noted."""
        ...

    def carried(self) -> str | None:
        """The trace that goes on here, as a W3C `traceparent`, 55 characters; None where none does."""
        ...

    def continued(self, carried: str) -> AbstractContextManager[None]:
        """The spans of the block are part of a trace that began elsewhere."""
        ...


class NoSpans:
    """Collects nothing."""

    @contextmanager
    def span(self, name: str, ids: Ids) -> Iterator[Note]:
        yield lambda _: None

    def carried(self) -> str | None:
        return None

    @contextmanager
    def continued(self, carried: str) -> Iterator[None]:
        yield


@contextmanager
def identified(spans: Spans, name: str, ids: Ids) -> Iterator[Note]:
    """Gives the ids to every log line of the block, and notes the block as a span."""
    with ExitStack() as stack:
        stack.enter_context(bound_contextvars(**ids))
        note_on_span = stack.enter_context(spans.span(name, ids))

        def note(more: Ids) -> None:
            stack.enter_context(bound_contextvars(**more))
            note_on_span(more)

        yield note
