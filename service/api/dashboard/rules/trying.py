"""Tries a rule over the past: what it would have fired in 90 days, and what it would at other settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response

from service.api.dashboard.documents.controls import Document
from service.api.dashboard.documents.pages import OpenForm, led_to
from service.api.dashboard.documents.reading import read_document
from service.api.dashboard.documents.refused import TAKEN_BACK, FormRefused, flaws_of, status_of
from service.api.dashboard.documents.writing import VERSION, stored_document
from service.api.dashboard.forms import AGAIN, FormDep
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.replays import replay_shown, told_setting
from service.api.dashboard.rules.editing import PAGES, fresh_rule, rule_parts
from service.api.dashboard.rules.pages import PLACE
from service.api.dashboard.session import AnsweringDep, SignedInDep, our_page
from service.api.dashboard.trials import given_up, standing_of, tried
from service.api.http.deps import Id, NowDep, PortsDep, UowDep
from service.domain.access import Caller, Role
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.values.errors import NotFound
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Author
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

router = APIRouter(include_in_schema=False)

TRIED = f"{PLACE}/tried"
Asked = Annotated[str, Query(max_length=200, pattern=r"^[A-Za-z0-9_ .$,-]*$")]


@router.post(f"{PLACE}/{{id}}/try", dependencies=[our_page])
async def try_stored(author: AnsweringDep, uow: UowDep, id: Id) -> Response:
    """Queues a backtest of a rule as it is stored, and leads to its results."""
    rule = await uow.rules.get(id)
    queued = await tried(uow, rule, {"rule": rule.id}, author)
    return led_to(f"{TRIED}/{queued.id}")


@router.post(PAGES.trial, dependencies=[our_page])
async def try_form(caller: SignedInDep, author: AnsweringDep, ports: PortsDep, uow: UowDep, form: FormDep) -> Response:
    """Queues a backtest of what a form says, and leads to its results, with the form below them. Nothing is stored."""
    opened = await _opened(uow, caller, form, author)
    document = read_document(opened.parts, form, opened.before)
    if AGAIN in form:
        return opened.page(document)
    try:
        subject = await _drafted(ports, uow, opened, document, author)
        queued = await tried(uow, subject, {"rule": document}, author)
    except TAKEN_BACK as error:
        raise FormRefused(opened.page(document, flaws_of(error), status_of(error))) from error
    query = {"rule": opened.stored.id, "seen": form.get(VERSION, "")} if opened.stored else {}
    return led_to(f"{TRIED}/{queued.id}?{urlencode(query)}".rstrip("?"))


async def _opened(uow: UnitOfWork, caller: Caller, form: Mapping[str, str], author: Author) -> OpenForm[Rule[object]]:
    stored = await uow.rules.get(form["subject"]) if form.get("subject") else None
    before = await stored_document(PAGES.shape, uow, stored, author) if stored else fresh_rule(form)
    return OpenForm(PAGES, caller, await rule_parts(uow, before), before, stored, _query(before))


def _query(document: Document) -> str:
    return f"?{urlencode({'kind': str(document['kind'])})}"


async def _drafted(
    ports: Ports, uow: UnitOfWork, opened: OpenForm[Rule[object]], document: Document, author: Author
) -> Resource[Rule[object]]:
    """Returns the rule of a document, as yet of no id. Raises what writing it would."""
    written = PAGES.shape.parse({**document, "name": document.get("name") or "new rule"})
    spec = await PAGES.shape.read(ports, uow, written, opened.stored.spec if opened.stored else None)
    await PAGES.kind.validate(uow, spec, opened.stored)
    return Resource("", written.name, 0, author.at, author.at, written.labels, spec)


@router.post(f"{TRIED}/{{id}}/cancel", dependencies=[our_page])
async def cancel(uow: UowDep, author: AnsweringDep, id: Id) -> Response:
    """Cancels a replay, and leads back to it."""
    await given_up(uow, id, author)
    return led_to(f"{TRIED}/{id}")


@router.get(f"{TRIED}/{{id}}")
async def show_tried(
    caller: SignedInDep, uow: UowDep, now: NowDep, id: Id, rule: Asked = "", seen: Asked = "", setting: Asked = ""
) -> Response:
    """How far the replay is, then what it found, and the form that was tried: at another setting if one is asked."""
    backtest = await uow.backtests.get(id)
    subject = backtest.subject
    if not isinstance(subject.spec, Rule):
        raise NotFound("this backtest is of no rule")
    stored = await _still_stored(uow, subject.id or rule)
    kind = subject.spec.kind
    content = await standing_of(uow, backtest, caller, f"{TRIED}/{id}") | {
        "place": ("Rules", PLACE),
        "said": KINDS[kind].title,
        "subject_address": f"{PLACE}/{stored.id}" if stored else "",
        "found": replay_shown(backtest.result, partial(told_setting, kind), against="Expected")
        if backtest.result
        else None,
        "rule": rule,
        "seen": seen,
    }
    if caller.role.allows(Role.OPERATOR) and not content["waits"]:
        draft = replace(subject, spec=subject.spec)
        form = await _form(uow, caller, draft, stored, Author("", now), setting)
        version = (seen or subject.version or form["version"]) if stored else form["version"]
        content |= form | {"is_open": True, "version": version}
    return dashboard_page("tried.html.j2", "Rules", caller, content)


async def _still_stored(uow: UnitOfWork, id: str) -> Resource[Rule[object]] | None:
    """Returns None for a rule that is stored no longer, or was not yet: the results stay, and its form makes one."""
    try:
        return await uow.rules.get(id) if id else None
    except NotFound:
        return None


async def _form(
    uow: UnitOfWork,
    caller: Caller,
    draft: Resource[Rule[object]],
    stored: Resource[Rule[object]] | None,
    author: Author,
    setting: str,
) -> dict[str, object]:
    """Returns the form of a rule that was tried, which may differ from what is stored of it."""
    shown = cast("Document", await stored_document(PAGES.shape, uow, draft, author))
    document = PAGES.extended(shown, {"setting": setting})
    if stored is None:
        document = {name: value for name, value in document.items() if name not in ("id", "version")}
    parts = await rule_parts(uow, document)
    return OpenForm(PAGES, caller, parts, document, stored, _query(document)).content(document)
