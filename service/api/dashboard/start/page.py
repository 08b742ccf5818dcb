"""`/pages/start`: where the first steps stand, and the form of the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.dashboard.documents.controls import Document
from service.api.dashboard.documents.showing import Flaws, show_form
from service.api.dashboard.figures import dollars
from service.api.dashboard.layout import live_page
from service.api.dashboard.session import SignedInDep
from service.api.dashboard.sources.poll_lines import poll_line
from service.api.dashboard.start.forms import (
    BUDGET_PARTS,
    KEY_PARTS,
    NEW_SLACK,
    NEW_SOURCE,
    SLACK_PARTS,
    new_budget,
)
from service.api.dashboard.start.manifest import manifest_for
from service.api.http.deps import NowDep, PortsDep, UowDep
from service.domain.access import Caller, Role
from service.domain.sources.poll import Poll, PollState
from service.domain.sources.source import ReportName, Source
from service.domain.values.resources import Resource
from service.workflows.budgets.suggest import BudgetSuggestion
from service.workflows.configuration.probe import ChannelTest
from service.workflows.operation.first_run import FirstRun, ReadProgress, first_run
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

router = APIRouter(include_in_schema=False)

START = "/pages/start"
UNFINISHED = (PollState.QUEUED, PollState.RUNNING)


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """The form that was just sent: of which step it is, what it held, what is wrong with it, what came of it."""

    step: str = ""
    document: Document = field(default_factory=dict)
    flaws: Flaws = field(default_factory=dict)
    tests: Sequence[ChannelTest] = ()

    def form_of(self, step: str, fresh: Document) -> tuple[Document, Flaws]:
        return (self.document, self.flaws) if self.step == step else (fresh, {})


NOTHING_SENT = StepAnswer()


@router.head(START)  # probes ask so
@router.get(START)
async def show_start(caller: SignedInDep, ports: PortsDep, uow: UowDep, now: NowDep) -> Response:
    return await start_page(ports, uow, caller, now)


async def start_page(
    ports: Ports, uow: UnitOfWork, caller: Caller, now: datetime, answer: StepAnswer = NOTHING_SENT
) -> Response:
    found = await first_run(uow, now)
    is_enabled = found.source is not None and found.source.spec.enabled
    key_form, budget_form, slack_form = _forms(found, answer)
    content = {
        "may_write": caller.role.allows(Role.ADMIN),
        "simulated": found.simulated,
        "source": found.source.name if found.source else "",
        "watched": is_enabled,
        "address": f"/pages/sources/{found.source.id}" if found.source else "",
        "organisation": (found.progress.state.organization_name or "") if found.progress else "",
        "read": _progress(found.progress, found.source) if found.progress and is_enabled else None,
        "suggestion": _suggestion(found.suggestion),
        "budget": found.budget or "",
        "receiver": found.receiver.name if found.receiver else "",
        "is_default": found.is_default,
        "manifest": manifest_for(ports.public_url),
        "is_public": ports.public_url.startswith("https:"),
        "key_form": key_form,
        "budget_form": budget_form,
        "slack_form": slack_form,
        "left_as": START if answer.flaws or answer.tests else "",
        "tests": [(one.kind, one.error, one.detail) for one in answer.tests],
        "said": answer.flaws.get("", "") if answer.step == "test" else "",
    }
    return live_page("start.html.j2", "First steps", caller, content, 422 if answer.flaws else 200)


def _forms(found: FirstRun, answer: StepAnswer) -> tuple[object, object, object]:
    amount = found.suggestion.amount if found.suggestion else None
    source: Document = {**NEW_SOURCE, **({"name": found.source.name} if found.source else {})}
    return (
        show_form(KEY_PARTS, *answer.form_of("key", source)),
        show_form(BUDGET_PARTS, *answer.form_of("budget", new_budget(amount))),
        show_form(SLACK_PARTS, *answer.form_of("slack", NEW_SLACK)),
    )


def _progress(progress: ReadProgress, source: Resource[Source] | None) -> Mapping[str, object]:
    """Returns how far the first poll is, and the reading of the last months."""
    state, poll, past = progress.state, progress.poll, progress.past
    done = {one.report for one in poll.reports if one.error is None} if poll else set()
    return {
        "is_read": state.cost_read_at is not None,
        "error": state.last_error if state.failures else "",
        "poll": poll_line(poll) if poll else None,
        "percent": f"{100 * len(done) // len(ReportName)}",
        "done": f"{len(done)} of {len(ReportName)} reports",
        "past": poll_line(past) if past else None,
        "runs": any(_runs(one) for one in (poll, past)) or state.cost_read_at is None,
    }


def _runs(poll: Poll | None) -> bool:
    return poll is not None and poll.state in UNFINISHED


def _suggestion(made: BudgetSuggestion | None) -> Mapping[str, object] | None:
    if made is None:
        return None
    return {
        "amount": dollars(made.amount) if made.amount else None,
        "months": [(period.label, dollars(amount)) for period, amount in made.months],
        "forecast": dollars(made.forecast) if made.forecast else None,
    }
