"""What REST can change, the pages can change: each changing route beside the page's form that does the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from fastapi.routing import iter_route_contexts

from service.api.app import create_app

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


def _configured(resource: str, page: str) -> dict[str, str]:
    """Returns the forms of a resource: to create, to change and to delete one."""
    return {
        f"POST /v1/{resource}": f"/pages/{page}/new",
        f"PATCH /v1/{resource}/{{id}}": f"/pages/{page}/{{id}}/edit",
        f"DELETE /v1/{resource}/{{id}}": f"/pages/{page}/{{id}}/delete",
    }


FORMS = {
    **_configured("sources", "sources"),
    "POST /v1/sources/{id}/poll": "/pages/sources/{id}/poll",
    "POST /v1/sources/{id}/backfill": "/pages/sources/{id}/backfill",
    "POST /v1/sources/{id}/check": "/pages/sources/{id}/check",
    "POST /v1/drills": "/pages/sources/{id}/drill",
    **_configured("budgets", "budgets"),
    **_configured("rules", "rules"),
    "POST /v1/backtests": "/pages/rules/try",
    "POST /v1/backtests/{id}/cancel": "/pages/rules/tried/{id}/cancel",
    "POST /v1/alerts/{id}/acknowledge": "/pages/alerts/{id}",
    "POST /v1/alerts/{id}/resolve": "/pages/alerts/{id}",
    "POST /v1/alerts/{id}/snooze": "/pages/alerts/{id}",
    "POST /v1/alerts/{id}/hand-on": "/pages/alerts/{id}/hand-on",
    "POST /v1/alerts/{id}/feedback": "/pages/alerts/{id}",
    "DELETE /v1/feedback/{id}": "/pages/alerts/{id}/withdraw",
    "POST /v1/notifications/{id}/retry": "/pages/alerts/{id}/retry",
    **_configured("receivers", "receivers"),
    "POST /v1/receivers/{id}/test": "/pages/receivers/{id}/test",
    "PUT /v1/routes": "/pages/routes/edit",
    **_configured("escalation-policies", "escalation"),
    **_configured("rotas", "rotas"),
    "POST /v1/rotas/{id}/calendar-link": "/pages/rotas/{id}/calendar/link",
    "DELETE /v1/rotas/{id}/calendar-link": "/pages/rotas/{id}/calendar/link/end",
    **_configured("silences", "silences"),
    "POST /v1/silences/{id}/expire": "/pages/silences/{id}/expire",
    "PUT /v1/owners": "/pages/owners/file",
    "PATCH /v1/owners": "/pages/owners/edit",
    "PUT /v1/owners/csv": "/pages/owners/file",
    **_configured("prices", "prices"),
    "PUT /v1/slack-users": "/pages/slack-users/new",
    "DELETE /v1/slack-workspace": "/pages/settings/slack-workspace/forget",
    **_configured("digests", "digests"),
    **_configured("planned-activities", "planned-activities"),
    "POST /v1/digests/{id}/send": "/pages/digests/{id}/send",
    "POST /v1/tokens": "/pages/tokens",
    "DELETE /v1/tokens/{id}": "/pages/tokens/{id}/revoke",
}
"""The form that does what a route does."""

WITHOUT_A_FORM = {
    "POST /v1/rules/preview": "stores nothing; pages try a rule by a backtest",
    "PUT /v1/config": "a file of everything: `tocsin apply` shows what would change",
}
"""Changing routes that no form does, and why."""

FORMS_ALONE = {
    "/pages/start/key": "a source, its check and its first poll in one step",
    "/pages/start/budget": "a budget",
    "/pages/start/slack": "a receiver and a route in one step",
    "/pages/start/test": "a receiver's test",
    "/pages/planned-activities/{id}/end": "a planned activity's `ends_at` and `extra_amount`",
    "/pages/budgets/{id}/try": "a backtest of the budget as it is stored",
    "/pages/budgets/tried/{id}/cancel": "the end of a backtest",
    "/pages/rules/{id}/enabled": "a rule's `enabled`",
    "/pages/rules/{id}/try": "a backtest of the rule as it is stored",
    "/pages/prices/{id}/end": "a price's `valid_to`",
    "/pages/slack-users/{user}/edit": "one person of the list",
    "/pages/slack-users/{user}/delete": "one person of the list",
}
"""Forms beside those of FORMS, and what they do."""


@pytest.fixture(scope="module")
def changing() -> set[str]:
    """Every changing route of the application: "POST /v1/budgets"."""
    return set(_changing())


def _changing() -> Iterator[str]:
    app = create_app(cast("Any", None), ready=cast("Any", None))
    for route in iter_route_contexts(app.routes):
        yield from (f"{method} {route.path}" for method in CHANGING & set(route.methods or ()))


def test_every_changing_route_of_rest_has_a_form_or_a_reason(changing: set[str]) -> None:
    of_rest = {route for route in changing if " /v1/" in route}
    unnamed = sorted(of_rest - {*FORMS} - {*WITHOUT_A_FORM})
    assert unnamed == [], "build the form and name it in FORMS, or say in WITHOUT_A_FORM why there is none"
    assert sorted({*FORMS, *WITHOUT_A_FORM} - of_rest) == [], "REST has no such route any more: take it out"
    assert sorted({*FORMS} & {*WITHOUT_A_FORM}) == [], "it has a form now: take it out of WITHOUT_A_FORM"


def test_every_form_is_named_beside_what_it_does(changing: set[str]) -> None:
    forms = {route.removeprefix("POST ") for route in changing if route.startswith("POST /pages/")}
    unnamed = sorted(forms - {*FORMS.values()} - {*FORMS_ALONE})
    assert unnamed == [], (
        "name each in FORMS beside the route of REST that does the same, and take that route out of WITHOUT_A_FORM; a"
        " form that does what several routes do, or what another form does, belongs in FORMS_ALONE"
    )
    assert sorted({*FORMS.values(), *FORMS_ALONE} - forms) == [], "there is no such form"
