"""Silences that end within the hour while alerts behind them fire: an alert of their own, once for each end."""

from __future__ import annotations

from collections.abc import Sequence

from service.domain.alerts.alert import Alert
from service.domain.alerts.evidence import SilenceEndsEvidence
from service.domain.alerts.findings import Finding
from service.domain.alerts.reconcile import reconcile
from service.domain.messages.kinds import words_of
from service.domain.notify.ending_silences import assess_silences, ends_soon, fingerprint, firing_behind
from service.domain.notify.routing.silences import Silence
from service.domain.notify.routing.situation import Situation
from service.domain.notify.undelivered import NO_SOURCE
from service.domain.values.resources import Resource
from service.workflows.alerts.carry_out import carry_out, log_moves
from service.workflows.notify.situation import read_situation
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


async def run_watch_silences(ports: Ports) -> None:
    """Opens an alert for each silence that ends soon with something firing behind it. The alert is the mark."""
    now = ports.clock()
    async with ports.uow() as uow:
        standing = any(isinstance(one.evidence, SilenceEndsEvidence) for one in await uow.alerts.open(NO_SOURCE))
        if not standing and not any(ends_soon(one.spec, now) for one in await uow.silences.readable()):
            return
        await uow.become_only_writer()  # every worker comes here each minute: whoever is second finds it done
        situation = await read_situation(uow, NO_SOURCE, now)
        events = await carry_out(uow, situation, reconcile(situation.open_alerts, await _find(uow, situation)))
    log_moves(events)


async def _find(uow: UnitOfWork, situation: Situation) -> list[Finding]:
    silences = situation.configuration.silences.values()
    ending = [one for one in silences if ends_soon(one.spec, situation.now)]
    fired = {one.fingerprint for one in await uow.alerts.latest(sorted(fingerprint(one) for one in ending))}
    behind = await _behind(uow, [one for one in ending if fingerprint(one) not in fired], situation)
    return assess_silences(ending, behind, open_alerts=situation.open_alerts, fired=fired)


async def _behind(uow: UnitOfWork, ending: Sequence[Resource[Silence]], own: Situation) -> dict[str, list[str]]:
    """Returns the headlines of what fires behind each silence, by the silence's id."""
    behind: dict[str, list[str]] = {one.id: [] for one in ending}
    if not ending:
        return behind
    others = [await read_situation(uow, source_id, own.now) for source_id in await uow.polling_states.all_ids()]
    for situation in (*others, own):
        for silence in ending:
            behind[silence.id] += [_headline(alert) for alert in firing_behind(silence, situation)]
    return behind


def _headline(alert: Alert) -> str:
    return words_of(alert.newest).headline()
