from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from service.api.app import create_app
from service.api.http.headers import SAFE
from service.workflows.ports.unit_of_work import UnitOfWork
from tests.api.stand import SOURCE, Stand, client

SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


async def test_every_answer_has_the_safe_headers(stand: Stand, described: dict[str, Any]) -> None:
    await stand.create("/sources", SOURCE)
    paths = [*described["paths"], "/docs", "/openapi.json", "/docs/assets/swagger-ui.css", "/nothing", "/%00"]
    for path in paths:
        for asker in (stand.stranger, stand.viewer):
            answer = await asker.get(path.replace("{", "").replace("}", ""))
            assert answer.headers.keys() >= {name.lower() for name in SAFE}, path
            assert answer.headers["x-content-type-options"] == "nosniff", path
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
            assert not path.startswith("/v1") or answer.headers["cache-control"] == "no-store", path


async def test_a_failure_has_them_too(stand: Stand) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[UnitOfWork]:
        raise RuntimeError
        yield

    async def ready() -> str | None:
        return None

    app = create_app(replace(stand.ports, uow=broken), ready=ready)
    async with client(app, "tcn_FAKE-token-of-the-tests") as visitor:
        answer = await visitor.get("/v1/budgets")
    assert answer.status_code == 500
    assert answer.headers.keys() >= {name.lower() for name in SAFE}


async def test_the_page_of_the_documentation_runs_its_own_scripts_alone(stand: Stand) -> None:
    page = await stand.stranger.get("/docs")
    policy = page.headers["content-security-policy"]
    assert len(SCRIPT.findall(page.text)) == policy.count("'sha256-") == 1
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    for address in re.findall(r'(?:src|href)="([^"]*)"', page.text):
        assert address.startswith("/docs/assets/"), address


async def test_options_names_the_methods_that_work(stand: Stand, described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        target = path.replace("{", "").replace("}", "")
        answer = await stand.stranger.options(target)
        assert answer.status_code == 204, path
        allowed = set(answer.headers["allow"].split(", "))
        assert allowed >= {method.upper() for method in operations} | {"OPTIONS"}, path
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"):
            other = await stand.stranger.request(method, target)
            assert (other.status_code != 405) is (method in allowed), (method, path)


async def test_options_of_nothing_is_not_found(stand: Stand) -> None:
    assert (await stand.stranger.options("/v1/nothing")).status_code == 404
    assert (await stand.stranger.options("/v1/budgets/a/b/c")).status_code == 404
