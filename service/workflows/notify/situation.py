"""Reading the situation of a source's alerts, once in a transaction."""

from __future__ import annotations

from datetime import datetime

from service.domain.notify.routing.situation import Situation
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.naming import name_members


async def read_situation(uow: UnitOfWork, source_id: str, now: datetime) -> Situation:
    """Everything besides spend that decides about the alerts of a source.

    To be read after what keeps others from moving these alerts: the source's polling state, or the alert's row.
    """
    workspaces, api_keys = await uow.directory.workspaces(source_id), await uow.directory.api_keys(source_id)
    return Situation(
        now=now,
        configuration=await uow.snapshot(source_id, now),
        open_alerts=await uow.alerts.open(source_id),
        names=name_members(workspaces, api_keys),
        key_workspaces={key.id: key.workspace for key in api_keys if key.workspace},
    )
