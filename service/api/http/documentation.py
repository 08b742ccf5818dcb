"""The OpenAPI document, and `/docs`: a first client that works without a network."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

import service
from service.api.http.problems import MEDIA_TYPE, Problem

ASSETS = "/docs/assets"
SUMMARY = "Watches an organisation's spend on the Claude API and alerts before the budget is gone."
DESCRIPTION = """
Send `Authorization: Bearer tcn_...`. Roles: `viewer` reads, `operator` also acts on alerts, `admin` configures.

* Money is a decimal string in US dollars, times are RFC 3339 UTC, durations are written `15m`, `4h`, `2d`.
* Lists come in parts: follow `next` with `?cursor=`. Unknown query parameters and fields are refused.
* A document that was read may be sent back: read-only fields are ignored, secret stubs keep the stored secret.
* `PATCH` is a JSON merge patch; `PATCH`, `PUT` and `DELETE` honour `If-Match`; `POST` honours `Idempotency-Key`.
* Errors are `application/problem+json` (RFC 9457) with a JSON pointer to what is wrong.
"""

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")
_REASONS = {
    "400": "The body is not JSON",
    "401": "No token, or an unknown one",
    "403": "The token's role is too small",
    "404": "Nothing of that id or name exists",
    "408": "The body did not arrive in time",
    "409": "It contradicts what is stored",
    "412": "If-Match names another version",
    "413": "The body is too large",
    "422": "A value is not acceptable",
    "503": "The process cannot work now",
}


def document(app: FastAPI) -> None:
    """Adds the OpenAPI document and the `/docs` page."""
    openapi: dict[str, Any] = {}

    def make() -> dict[str, Any]:
        if not openapi:
            openapi.update(_describe(app))
        return openapi

    app.openapi = make  # type: ignore[method-assign]
    assets = Path(fastapi_offline.__file__).parent / "static"
    app.mount(ASSETS, StaticFiles(directory=assets), name="docs-assets")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Tocsin",
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon.png",
            swagger_ui_parameters={
                "persistAuthorization": True,
                "tryItOutEnabled": True,
                "validatorUrl": None,  # else the page sends the document's address to a public service
            },
        )
        page.headers["Content-Security-Policy"] = page_policy(bytes(page.body).decode())
        return page


def page_policy(html: str) -> str:
    """Returns the policy under which the page works: its own files, and the very scripts that stand in it."""
    scripts = " ".join(f"'sha256-{_hash(text)}'" for text in _INLINE.findall(html))
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _describe(app: FastAPI) -> dict[str, Any]:
    described = get_openapi(
        title="Tocsin",
        version=service.__version__,
        summary=SUMMARY,
        description=DESCRIPTION,
        routes=app.routes,
    )
    schemas = described["components"]["schemas"]
    for name in _FRAMEWORK_SCHEMAS:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for path, operations in described["paths"].items():
        for operation in operations.values():
            _describe_problems(operation, guarded=path.startswith("/v1"))
    return described


def _describe_problems(operation: dict[str, Any], *, guarded: bool) -> None:
    responses = operation["responses"]
    statuses = {status for status in responses if status in _REASONS}
    if guarded:
        statuses |= {"401", "403", "422"}
    if "requestBody" in operation:
        statuses |= {"400", "408", "413"}
    for status in sorted(statuses):
        responses[status] = {
            "description": _REASONS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
