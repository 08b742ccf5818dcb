"""A drill: a poll, and an alert that is marked as one, by the ways that every poll and every alert take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service.domain.alerts.alert import Alert
from service.domain.alerts.drills import find_drill, require_no_drill
from service.domain.alerts.reconcile import reconcile
from service.domain.notify.routing.doubts import require_possible_labels
from service.domain.sources.poll import Poll, PollKind
from service.domain.sources.source import Source
from service.domain.values.errors import Conflict
from service.domain.values.resources import Resource
from service.domain.values.severity import Severity
from service.workflows.alerts.carry_out import carry_out
from service.workflows.configuration.engine import Author, Difference, record
from service.workflows.notify.situation import read_situation
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.ingest import request_poll


@dataclass(frozen=True, slots=True)
class BegunDrill:
    """The alert fires already; the poll is queued."""

    poll: Poll
    alert: Alert


async def begin_drill(
    uow: UnitOfWork, source: Resource[Source], severity: Severity, labels: Mapping[str, str], author: Author
) -> BegunDrill:
    """Raises Invalid for labels that no drill has, and Conflict for a disabled source and beside another drill."""
    if not source.spec.enabled:
        raise Conflict(f"the source {source.name!r} is disabled: nothing polls it")
    finding = find_drill(source, severity, labels)
    require_possible_labels({name: frozenset({value}) for name, value in labels.items()}, "/labels")
    await uow.become_only_writer()
    situation = await read_situation(uow, source.id, author.at)
    require_no_drill(source, situation.open_alerts)
    (event,) = await carry_out(uow, situation, reconcile(situation.open_alerts, [finding]))
    poll = await request_poll(uow, source.id, PollKind.REQUESTED, author.at)
    begun = Difference(after={"alert": event.alert.id, "poll": poll.id, "severity": severity.value})
    await record(uow, author, "source.drill", source.id, f"named {source.name!r}", begun)
    return BegunDrill(poll, event.alert)
