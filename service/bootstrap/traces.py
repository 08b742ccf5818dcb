"""Whether, and to where, traces are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from service.settings import Settings
from service.workflows.ports.spans import NoSpans, Spans

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_spans(settings: Settings) -> AsyncIterator[Spans]:
    """Goes on without traces, with a warning, where the libraries for them are not installed.

    Clusters give the variable to every pod: it must not keep the bell from starting.
    """
    if settings.otlp_endpoint is None:
        yield NoSpans()
        return
    try:
        from service.adapters.otel import open_otel
    except ModuleNotFoundError as error:
        log.warning("traces_left_out", missing=error.name, do="pip install 'tocsin[otel]'")
        yield NoSpans()
        return
    async with open_otel(settings.otlp_endpoint) as spans:
        yield spans
