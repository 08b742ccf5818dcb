"""Spans over OTLP/HTTP, as OpenTelemetry collectors take them. Loaded only where traces are wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from opentelemetry.context import attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import service
from service.workflows.ports.spans import Ids, Note

TRACES = "/v1/traces"
LONGEST_EXPORT_SECONDS = 5
PREFIX = "tocsin."
_TRACEPARENT = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()


class OtelSpans:
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def span(self, name: str, ids: Ids) -> Iterator[Note]:
        """Keeps no text of what is thrown: it may hold what a server said of an address."""
        with self._tracer.start_as_current_span(
            name, attributes=_attributes(ids), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield lambda more: span.set_attributes(_attributes(more))
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def carried(self) -> str | None:
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get(_TRACEPARENT)

    @contextmanager
    def continued(self, carried: str) -> Iterator[None]:
        """Passes over what is no `traceparent`: spans then begin a trace of their own."""
        token = attach(_PROPAGATOR.extract({_TRACEPARENT: carried}))
        try:
            yield
        finally:
            detach(token)


@asynccontextmanager
async def open_otel(endpoint: str) -> AsyncIterator[OtelSpans]:
    """Sends spans to the collector at `endpoint` in the background; the last ones when the block is left.

    A collector that is away costs its spans and holds up nothing. Other `OTEL_` variables are read by the library.
    """
    resource = Resource.create({SERVICE_NAME: "tocsin", SERVICE_VERSION: service.__version__})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}{TRACES}", timeout=LONGEST_EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield OtelSpans(provider.get_tracer("tocsin"))
    finally:
        await asyncio.to_thread(provider.shutdown)


def _attributes(ids: Ids) -> dict[str, str]:
    """Puts our names behind a prefix; a name with a dot is one of the conventions for all."""
    return {name if "." in name else f"{PREFIX}{name}": value for name, value in ids.items()}
