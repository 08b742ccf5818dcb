"""The configurable kinds that concern rules: the rules themselves, and planned activities."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from service.domain.rules import registry
from service.domain.rules.evaluation import lookback_of
from service.domain.rules.limits import LONGEST_WINDOW
from service.domain.rules.planned import ActivityState, PlannedActivity, ended, validate_activity
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule
from service.domain.values.errors import Conflict, Invalid
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import EVERYTHING, FINEST, Cell, Scope
from service.workflows.configuration.engine import Author, Draft, ResourceKind, Write, change
from service.workflows.configuration.people import require_claude_code, require_people
from service.workflows.configuration.spend import require_own_source
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.backfill import reach_back

DAY = timedelta(days=1)


class Rules(ResourceKind[Rule[object]]):
    noun, prefix, spec = "rule", "rule", Rule

    async def validate(self, uow: UnitOfWork, spec: Rule[object], stored: Resource[Rule[object]] | None) -> None:
        await require_own_source(uow, self.noun, spec.source_id, stored.spec.source_id if stored else None)
        if stored is not None:
            refuse_other_kind(stored.spec, spec.kind)
        if stored is None or _terms(spec) != _terms(stored.spec):
            registry.validate(spec)
        await require_people(uow, spec)
        await require_claude_code(uow, spec)

    async def after_write(self, uow: UnitOfWork, write: Write[Rule[object]]) -> None:
        rule = write.resource.spec
        await uow.jobs.evaluate(rule.source_id)
        days = kind_of(rule).backfill_days
        if write.after is not None and rule.enabled and days:
            await reach_back(uow, rule.source_id, write.at - days * DAY, write.at)


def _terms(rule: Rule[object]) -> tuple[object, ...]:
    """The parts of a rule that are validated. A stored one that would be refused by now may be switched off."""
    return rule.kind, rule.params, rule.scope, rule.for_each, rule.gates


class PlannedActivities(ResourceKind[PlannedActivity]):
    noun, prefix, plural, spec = "planned activity", "plan", "planned activities", PlannedActivity

    async def validate(self, uow: UnitOfWork, spec: PlannedActivity, stored: Resource[PlannedActivity] | None) -> None:
        await require_own_source(uow, self.noun, spec.source_id, stored.spec.source_id if stored else None)
        validate_activity(spec, stored.spec if stored else None)

    async def after_write(self, uow: UnitOfWork, write: Write[PlannedActivity]) -> None:
        await uow.jobs.evaluate(write.resource.spec.source_id)


async def end_activity(uow: UnitOfWork, id: str, author: Author) -> Resource[PlannedActivity]:
    """Ends a running activity now. Raises NotFound, and Conflict for one that does not run."""
    stored = await uow.planned.get(id)
    if stored.spec.state(author.at) is not ActivityState.RUNNING:
        raise Conflict("the planned activity does not run")
    draft = Draft(stored.name, stored.labels, ended(stored.spec, author.at))
    return await change(uow, PlannedActivities(), stored, draft, author)


def refuse_other_kind(stored: Rule[object], kind: str) -> None:
    """The parameters of one kind mean nothing to another. Raises Invalid."""
    if stored.kind != kind:
        raise Invalid(f"a rule keeps its kind, {stored.kind}; create another one", "/kind")


# ------------------------------------------------------------------------------- against what is known


async def require_history(uow: UnitOfWork, spec: Rule[object], before: object, now: datetime) -> None:
    """Raises Invalid where a window is longer than what is stored of the source.

    `before` are the parameters as they were, else the kind's own: those are not held against the rule, it makes do with
    what there is. While nothing is stored, nobody knows how long the history will be.
    """
    since = await uow.facts.billed_since(spec.source_id)
    if since is None:
        return
    stored = (now.date() - since.date()).days
    for name, days in lookback_of(spec).days.items():
        if days > stored and days != getattr(before, name):
            raise Invalid(
                f"history begins on {since.date()}, {stored} days ago; ask for a backfill:"
                f" POST /v1/sources/{spec.source_id}/backfill",
                f"/params/{name}",
            )


async def require_spend(uow: UnitOfWork, source_id: str, scope: Scope, now: datetime) -> None:
    """Raises Invalid for a scope that nothing has ever been spent in: it would stay quiet for ever.

    A source without any data accepts every scope.
    """
    if scope == EVERYTHING:
        return
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    window = Window(midnight - LONGEST_WINDOW * DAY, midnight + DAY)
    cells = await uow.facts.spend(source_id, window, now, FINEST | scope.grain)
    if not cells:
        return
    _require_members(scope, cells)
    if not any(scope.holds(cell) for cell in cells):
        raise Invalid("nothing has ever been spent where all of these hold: the rule would match nothing", "/scope")


def _require_members(scope: Scope, cells: Collection[Cell]) -> None:
    for dimension, ids in scope.filters.items():
        spending = {cell.along(dimension) for cell in cells}
        for position, id in enumerate(ids):
            if id not in spending:
                pointer = f"/scope/{dimension.value}s/{position}"
                raise Invalid(f"no spend of {id!r} is known: the rule would match nothing", pointer)
