"""The forms of resources: a control for every field that REST takes; nobody's change is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any, get_args

import pytest
from httpx import AsyncClient
from pydantic import BaseModel

from service.api.budgets.budgets import BudgetIn
from service.api.digests.digests import DigestIn
from service.api.http.secrets import SecretStub
from service.api.notify.escalation_policies import EscalationPolicyIn
from service.api.notify.receivers import ReceiverIn
from service.api.notify.rotas import RotaIn
from service.api.notify.route_documents import MatcherDocument, RoutesDocument, TimeIntervalDocument
from service.api.notify.silences import SilenceIn
from service.api.rules.params import params_schema
from service.api.rules.planned_activities import PlannedActivityIn
from service.api.rules.rules import RuleIn
from service.api.sources.prices import PriceIn
from service.api.sources.sources import SourceIn
from service.domain.access import Role
from service.domain.rules.registry import KINDS
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.budgets.test_editing import fields
from tests.api.dashboard.test_sign_in import hidden
from tests.api.stand import SOURCE, Stand, answered

FORMS = [
    ("/pages/sources/new", SourceIn),
    ("/pages/budgets/new", BudgetIn),
    ("/pages/rules/new", RuleIn),
    ("/pages/receivers/new?add=console", ReceiverIn),
    ("/pages/routes/edit", RoutesDocument),
    ("/pages/silences/new", SilenceIn),
    ("/pages/escalation/new", EscalationPolicyIn),
    ("/pages/rotas/new", RotaIn),
    ("/pages/digests/new", DigestIn),
    ("/pages/prices/new", PriceIn),
    ("/pages/planned-activities/new", PlannedActivityIn),
]


@pytest.mark.parametrize(("path", "document"), FORMS, ids=[path for path, _ in FORMS])
async def test_a_form_has_a_control_for_every_field(stand: Stand, path: str, document: type[BaseModel]) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/sources", SOURCE | {"name": "second", "enabled": False})  # so that there is one to choose
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.get(path)
    assert answer.status_code == 200, answer.text
    missing = [one for one in pointers(document) if not re.search(f'name="{one}["/]', answer.text)]
    assert missing == [], "REST takes these, and the form has no place for them"


DIGEST = {"name": "weekly", "receiver": "console", "cron": "0 9 * * 1"}
PLANNED = {
    "name": "migration",
    "starts_at": "2026-11-20T00:00:00Z",
    "ends_at": "2026-11-21T00:00:00Z",
    "extra_amount": "500.00",
}
CHANGES = [
    ("digests", DIGEST, {"timezone": "Asia/Tokyo"}, {"/timezone": "Europe/Berlin"}, "stored now: Asia/Tokyo"),
    ("planned-activities", PLANNED, {"extra_amount": "700.00"}, {"/extra_amount": "600.00"}, "stored now: 700.00"),
]


@pytest.mark.parametrize(("resource", "document", "theirs", "mine", "said"), CHANGES, ids=[one[0] for one in CHANGES])
async def test_the_second_of_two_writers_sees_the_difference_and_may_send_again(
    stand: Stand, resource: str, document: dict[str, Any], theirs: dict[str, str], mine: dict[str, str], said: str
) -> None:
    place, opened = await _made(stand, resource, document)
    sent = fields((await opened.get(place)).text) | mine
    answered(await stand.admin.patch(f"/v1/{resource}/{document['name']}", json=theirs))
    answer = await opened.post(place, data=sent)
    assert answer.status_code == 409
    assert said in unescape(answer.text)
    again = await opened.post(place, data=fields(answer.text))
    assert again.status_code == 303
    stored = answered(await stand.admin.get(f"/v1/{resource}/{document['name']}"))
    assert [str(stored[name[1:]]) for name in mine] == [*mine.values()]


@pytest.mark.parametrize(("resource", "document", "theirs", "mine", "said"), CHANGES, ids=[one[0] for one in CHANGES])
async def test_a_form_whose_session_is_over_comes_back_and_nothing_is_done_before_it_is_sent_again(
    stand: Stand, resource: str, document: dict[str, Any], theirs: dict[str, str], mine: dict[str, str], said: str
) -> None:
    place, opened = await _made(stand, resource, document)
    sent = fields((await opened.get(place)).text) | mine
    stand.clock.advance(timedelta(hours=12))
    late = await opened.post(place, data=sent)
    assert late.status_code == 403
    (kept,) = re.findall(r'name="kept" value="([^"]+)"', late.text)
    token = {"token": "tcn_FAKE-admin-token-of-the-tests", "next": place, "kept": unescape(kept)}
    pressed = (await opened.post("/sign-in", data=token)).text
    shown = await opened.post(place, data=hidden(pressed))
    assert shown.status_code == 200
    stored = answered(await stand.admin.get(f"/v1/{resource}/{document['name']}"))
    assert stored["version"] == 1
    assert fields(shown.text).items() >= mine.items()


async def _made(stand: Stand, resource: str, document: dict[str, Any]) -> tuple[str, AsyncClient]:
    """Returns the address of the form of something stored, and a browser with an admin's session."""
    await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    stored = await stand.create(f"/{resource}", document)
    return f"/pages/{resource}/{stored['id']}/edit", await signed_in(stand, Role.ADMIN)


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_a_rules_form_has_a_control_for_every_parameter(stand: Stand, kind: str) -> None:
    await stand.create("/sources", SOURCE)
    opened = await signed_in(stand, Role.ADMIN)
    page = (await opened.get(f"/pages/rules/new?kind={kind}")).text
    asked = {f"/params/{name}" for name in params_schema(kind)["properties"]}
    assert {one for one in fields(page) if one.startswith("/params/")} | ticks(page) >= asked


def ticks(page: str) -> set[str]:
    return {part.partition('"')[0] for part in page.split('type="checkbox"') for part in part.split('name="')[1:]}


def pointers(document: type[BaseModel], above: str = "") -> Iterator[str]:
    """Yields the pointers of the values that may be written, in lists of objects those of the first."""
    for name, field in document.model_fields.items():
        if field.exclude:
            continue
        here, inner = f"{above}/{field.alias or name}", model_in(field.annotation)
        if inner is None or is_line(inner):
            yield here
        else:
            yield from pointers(inner, f"{here}/0" if "list" in str(field.annotation) else here)


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Returns the model that a field holds, or a list of it, where there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := model_in(one))), None)


def is_line(document: type[BaseModel]) -> bool:
    """Whether an object is written as a text."""
    return document in {MatcherDocument, TimeIntervalDocument, SecretStub}
