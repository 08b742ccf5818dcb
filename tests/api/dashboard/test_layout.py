"""Every page, empty and with something on it: words for people stand where there is nothing to show."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import iter_route_contexts

from service.api.dashboard import ROUTERS as PAGES
from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.test_alerts import fired
from tests.api.stand import SOURCE, Stand

OF_PYTHON = re.compile(r">\s*(?:None|True|False)\s*<|\w+ object at 0x|Decimal\(")


def places() -> Iterator[str]:
    for route in iter_route_contexts([route for router in PAGES for route in router.routes]):
        path = route.path or ""
        if "GET" in (route.methods or ()) and (path == "/" or path.startswith("/pages/")) and "{" not in path:
            yield path


@pytest.mark.parametrize("place", sorted({*places()}))
async def test_no_page_says_what_only_programs_say(stand: Stand, place: str) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    for prepared in ("nothing", "a source", "an alert"):
        if prepared == "a source":
            source = await stand.create("/sources", SOURCE)
        elif prepared == "an alert":
            await stand.admin.delete(f"/v1/sources/{source['id']}")
            await fired(stand)
        answer = await opened.get(place)
        assert answer.status_code < 500, (prepared, answer.text)
        assert OF_PYTHON.findall(answer.text) == [], prepared


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("silences", "Nothing is silenced."),
        ("escalation", "There is none: a route notifies its receiver, and nobody after it."),
        ("rotas", "There is none: escalation policies call receivers."),
        ("receivers", "There is none: alerts reach nobody."),
    ],
)
async def test_an_empty_list_says_what_that_means(stand: Stand, place: str, words: str) -> None:
    assert words in (await (await signed_in(stand)).get(f"/pages/{place}")).text
