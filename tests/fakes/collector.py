"""A local OpenTelemetry collector: it takes spans over OTLP/HTTP, and keeps them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class KeptSpan:
    """`failure` is the type of what was thrown inside, empty where nothing was."""

    name: str
    trace: bytes
    id: bytes
    parent: bytes
    ids: dict[str, str]
    failure: str


@dataclass
class Collector:
    spans: list[KeptSpan] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    url: str = ""

    def named(self, name: str, **ids: str) -> list[KeptSpan]:
        """The spans of a name with these attributes of ours."""
        wanted = {f"tocsin.{key}": value for key, value in ids.items()}
        return [one for one in self.spans if one.name == name and wanted.items() <= one.ids.items()]

    def take(self, body: bytes) -> None:
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = {one.key: one.value.string_value for one in of_resource.resource.attributes}
            self.services.add(resource["service.name"])
            for span in [span for scope in of_resource.scope_spans for span in scope.spans]:
                ids = {one.key: one.value.string_value for one in span.attributes}
                place = span.trace_id, span.span_id, span.parent_span_id
                self.spans.append(KeptSpan(span.name, *place, ids, span.status.message))


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            is_packed = self.headers.get("content-encoding") == "gzip"
            found = self.path == "/v1/traces"
            if found:
                collector.take(gzip.decompress(body) if is_packed else body)
            self.send_response(200 if found else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
