"""What a rule would say now. Nothing is written, nobody is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from service.domain.rules.assessment import held_since
from service.domain.rules.evaluation import view_for
from service.domain.rules.feedback import holding
from service.domain.rules.incidents import Incident, incidents
from service.domain.rules.rule import Rule, Verdict
from service.domain.rules.view import SpendView
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.rules.ruling import judge_rule, load_view


@dataclass(frozen=True, slots=True)
class Preview:
    """`rings` are the incidents as if no alert were open; `failed` the scopes that a defect kept from being judged."""

    view: SpendView
    rings: tuple[Incident, ...]
    verdicts: Mapping[ScopeKey, Verdict]
    failed: Mapping[ScopeKey, str]


async def preview(uow: UnitOfWork, rule: Resource[Rule[object]], now: datetime) -> Preview:
    """Judges a rule with all that is remembered of it, if it is stored: feedback, and since when it has held."""
    source = await uow.sources.get(rule.spec.source_id)
    view = await load_view(uow, source, [rule], now)
    said = holding(await uow.feedback.of_rules([rule.id]), rule.id, now)
    episodes = {key.scope: episode for key, episode in (await uow.episodes.of([rule.id])).items()}
    judged = judge_rule(view, rule.spec, said, held_since(episodes))
    rings = incidents(view_for(rule.spec, view), judged.verdicts)
    return Preview(view, tuple(rings), judged.verdicts, judged.failed)
