"""`/pages/rules`: what fires besides budgets, and one rule with its settings, its false alerts and what it fired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from pydantic import JsonValue

from service.api.alerts.documents import source_names
from service.api.dashboard.alert_lines import alert_line
from service.api.dashboard.forms import FormDep
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.paging import OLDEST_FIRST, AskedPartDep, sorted_out
from service.api.dashboard.replays import told_setting
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.http.deps import Id, NowDep, UowDep
from service.api.http.pages import DASHBOARD_HEADERS
from service.api.rules.rules import RuleShape
from service.domain.access import Role
from service.domain.backtest.calibration import PROMISED, PROMISED_CRITICAL, Calibration
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Gates, Rule
from service.domain.values.parameters import Parameter, parameters
from service.domain.values.plain_text import minute
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Draft, change
from service.workflows.configuration.rules import Rules
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

PLACE, PLANNED = "/pages/rules", "/pages/planned-activities"
AREAS = (("Rules", PLACE), ("Planned activities", PLANNED))
PAGE, MOST_ALERTS = 50, 10
EACH = {
    "workspace": "for each workspace",
    "model": "for each model",
    "api_key": "for each API key",
    "actor": "for each person",
    "product": "for each product",
}


@router.head(PLACE)  # probes ask so
@router.get(PLACE)
async def list_rules(caller: SignedInDep, uow: UowDep, part: AskedPartDep) -> Response:
    """All rules, oldest first."""
    if not await uow.sources.named():
        return dashboard_page("no_source.html.j2", "Rules", caller, {})
    found = await uow.rules.page(limit=PAGE, cursor=part.cursor)
    rules, may_write = sorted_out(found), caller.role.allows(Role.ADMIN)
    made = await uow.calibrations.of([one.id for one in rules.readable])
    content = {
        "areas": AREAS,
        "area": PLACE,
        "rules": [_line(one, made.get(one.id)) for one in rules.readable],
        "unreadable": rules.unreadable,
        "part": part.links(PLACE, found, OLDEST_FIRST),
        "kinds": [
            (kind.name, kind.title, kind.description) for kind in KINDS.values() if may_write or kind.judges_bill
        ],
        "may_write": may_write,
        "may_try": caller.role.allows(Role.OPERATOR),
    }
    return dashboard_page("rules.html.j2", "Rules", caller, content)


def _line(rule: Resource[Rule[object]], made: Calibration | None) -> Mapping[str, object]:
    return {
        "name": rule.name,
        "address": f"{PLACE}/{rule.id}",
        "kind": KINDS[rule.spec.kind].title,
        "each": EACH.get(rule.spec.for_each or "", ""),
        "severity": str(rule.spec.severity),
        "enabled": rule.spec.enabled,
        "false": f"{made.false_a_quarter(made.own):g}" if made else "",
        "critical": f"{found:g}" if made and (found := made.critical_a_quarter(made.own)) else "",
        "is_noisy": made is not None and not made.keeps(made.own),
    }


@router.head(f"{PLACE}/{{id}}")  # probes ask so
@router.get(f"{PLACE}/{{id}}")
async def show_rule(caller: SignedInDep, uow: UowDep, now: NowDep, id: Id) -> Response:
    rule = await uow.rules.get(id)
    made = (await uow.calibrations.of([rule.id])).get(rule.id)
    content = {
        **head_of(rule),
        "settings": await _settings(uow, rule),
        "calibration": calibration_shown(made, rule.spec.kind) if made else None,
        "alerts": await _alerts(uow, id),
        "may_write": caller.role.allows(Role.ADMIN),
        "may_try": caller.role.allows(Role.OPERATOR) and KINDS[rule.spec.kind].judges_bill,
        "written": f"Version {rule.version}, written {minute(rule.updated_at)}",
    }
    return dashboard_page("rule.html.j2", "Rules", caller, content)


def head_of(rule: Resource[Rule[object]]) -> Mapping[str, object]:
    """Returns what every page about one rule says first."""
    kind = KINDS[rule.spec.kind]
    return {
        "name": rule.name,
        "id": rule.id,
        "address": f"{PLACE}/{rule.id}",
        "kind": kind.title,
        "description": kind.description,
        "enabled": rule.spec.enabled,
    }


async def _settings(uow: UnitOfWork, rule: Resource[Rule[object]]) -> Sequence[tuple[str, str]]:
    """Returns the rule's document as labels and values, what is at its kind's default included."""
    shown = (await RuleShape().show(uow, rule, rule.updated_at)).model_dump(mode="json")
    scope = {name.replace("_", " ").capitalize(): members for name, members in shown["scope"].items() if members}
    parts = {"Severity": shown["severity"], "For each": shown["for_each"], **scope}
    words = {**parameters(KINDS[rule.spec.kind].params), **parameters(Gates)}
    told = [_told(words[name], value) for name, value in {**shown["params"], **shown["gates"]}.items()]
    return [(name, _text(value)) for name, value in [*parts.items(), *told] if value is not None]


def _told(words: Parameter, value: JsonValue) -> tuple[str, JsonValue]:
    return words.label, words.words.get(value, value) if isinstance(value, str) else value


def _text(value: JsonValue) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def calibration_shown(made: Calibration, kind: str) -> Mapping[str, object]:
    """Returns how often a rule would fire for nothing, by its own past, and which setting would keep the promise."""
    proposal = made.proposal
    return {
        "rows": [
            (
                told_setting(kind, one.setting),
                one.configured,
                f"{made.false_a_quarter(one):g}",
                f"{made.critical_a_quarter(one):g}",
                made.keeps(one),
            )
            for one in made.settings
        ],
        "of": f"{made.first_day} to {made.last_day}, made {minute(made.made_at)}",
        "promised": f"{PROMISED:g} a quarter, {PROMISED_CRITICAL:g} of them critical",
        "keeps": made.keeps(made.own),
        "proposal": proposal.setting if proposal else "",
        "proposed": told_setting(kind, proposal.setting) if proposal else "",
    }


async def _alerts(uow: UnitOfWork, id: str) -> Sequence[Mapping[str, str]]:
    found = await uow.alerts.page(AlertFilter(rule_ids=(id,)), limit=MOST_ALERTS, cursor=None)
    names = await source_names(uow)
    return [alert_line(alert, names) for alert in found.items]


@router.post(f"{PLACE}/{{id}}/enabled", dependencies=[our_page])
async def pause_or_resume(author: AdministeringDep, uow: UowDep, id: Id, form: FormDep) -> Response:
    """Pauses a rule, or lets it go on; one that stands as asked already is left as it is."""
    rule = await uow.rules.get(id)
    spec = replace(rule.spec, enabled=form.get("enabled", "") == "yes")
    await change(uow, Rules(), rule, Draft(rule.name, rule.labels, spec), author)
    return RedirectResponse(f"{PLACE}/{id}", 303, DASHBOARD_HEADERS)
