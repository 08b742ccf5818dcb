"""The queue with the workflows that its jobs run."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from service.adapters.postgres.queue.queue import Queue
from service.worker import JobHandlers
from service.workflows.ports.unit_of_work import Ports


def open_queue(url: str, ports: Ports) -> AbstractAsyncContextManager[Queue]:
    return Queue.open(url, JobHandlers(ports), ports.outages, spans=ports.spans)
