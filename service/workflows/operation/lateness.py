"""Work that is late: found kind by kind, each against its limit, whatever the reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from service.domain.spend.lateness import USUAL_PATIENCE
from service.workflows.ports.operation import Arrears, Behind
from service.workflows.ports.unit_of_work import DueJobs, UnitOfWork

LIMIT = timedelta(minutes=5)
"""How long work may be due before it is late."""
BACKGROUND_LIMIT = timedelta(days=1)
BACKGROUND = frozenset({"backfill", "backtest"})
"""Jobs that let all others pass."""
NAMED = 10


class Work(StrEnum):
    POLLS = "polls"
    SOURCES = "sources"
    EVALUATIONS = "evaluations"
    BUDGETS = "budgets"
    RULES = "rules"
    NOTIFICATIONS = "notifications"
    JOBS = "jobs"


NEXT_STEPS = {
    Work.POLLS: (
        "Nobody begins these polls. See that a worker runs (tocsin worker, or tocsin up), and read its log for"
        " tick_failed, job_failed and outage_begins"
    ),
    Work.SOURCES: (
        "These sources are asked and bring no bill or no usage. GET /v1/sources/{name} says why in status.last_error:"
        " send another admin_key, or wait for the Admin API"
    ),
    Work.EVALUATIONS: (
        "Nothing compares spend with budgets and rules, so nothing fires. See that a worker runs, and read its log for"
        " job_failed with task=evaluate"
    ),
    Work.BUDGETS: (
        "A defect keeps these budgets from being assessed, so that they do not fire. GET /v1/budgets/{name}/status has"
        " its words under failures, and the workers' logs have budget_failed with a traceback: report it. Meanwhile"
        " another budget of the same scope fires in its place"
    ),
    Work.RULES: (
        "A defect keeps these rules from judging some scopes, which do not fire. GET /v1/explanations names the scopes,"
        " and the workers' logs have rule_failed with a traceback: report it. Meanwhile a budget on the scope fires"
    ),
    Work.NOTIFICATIONS: (
        "Nobody sends these messages. See that a worker runs, and read its log for job_failed with task=deliver;"
        " GET /v1/notifications?state=queued shows what was tried"
    ),
    Work.JOBS: (
        "More is queued than the workers do. Start another one (docker compose up --scale worker=3), and read their"
        " logs for job_failed"
    ),
}


@dataclass(frozen=True, slots=True)
class Late:
    """Work of one kind that is behind its limit, and what to do about it."""

    work: Work
    arrears: Arrears
    limit: timedelta

    @property
    def oldest(self) -> Behind:
        return self.arrears.first[0]

    @property
    def next_step(self) -> str:
        return NEXT_STEPS[self.work]


async def find_late(uow: UnitOfWork, now: datetime) -> list[Late]:
    """Asks for what is late, kind by kind: seven statements, and at most `NAMED` names of each."""
    before, patience = now - LIMIT, USUAL_PATIENCE
    found = {
        Work.POLLS: (await uow.punctuality.polls(before, NAMED), LIMIT),
        Work.SOURCES: (
            await uow.punctuality.failing_sources(patience.failures, now - patience.after, NAMED),
            patience.after,
        ),
        Work.EVALUATIONS: (await uow.punctuality.evaluations(before, NAMED), LIMIT),
        Work.BUDGETS: (await uow.punctuality.failing_budgets(before, NAMED), LIMIT),
        Work.RULES: (await uow.punctuality.failing_rules(before, NAMED), LIMIT),
        Work.NOTIFICATIONS: (await uow.punctuality.notifications(before, NAMED), LIMIT),
    }
    late = [Late(work, arrears, limit) for work, (arrears, limit) in found.items() if arrears.count]
    return late + _late_jobs(await uow.jobs.due(), now)


def _late_jobs(due: list[DueJobs], now: datetime) -> list[Late]:
    """One entry for the jobs in all. `count` is that of all jobs of the kinds whose oldest one is late."""
    late = [jobs for jobs in due if jobs.count and jobs.oldest > _limit(jobs)]
    if not late:
        return []
    first = sorted((Behind(jobs.kind, now - jobs.oldest) for jobs in late), key=lambda one: one.since)
    return [Late(Work.JOBS, Arrears(sum(jobs.count for jobs in late), tuple(first)), min(map(_limit, late)))]


def _limit(jobs: DueJobs) -> timedelta:
    return BACKGROUND_LIMIT if jobs.kind in BACKGROUND else LIMIT
