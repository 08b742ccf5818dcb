"""Schemathesis: requests made up from the OpenAPI document, right and wrong ones, and answers held against it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.cli.serving import serving
from tests.api.alerts.test_alerts import rung
from tests.api.digests.test_digests import DIGEST
from tests.api.http.test_configured import PRICE
from tests.api.notify.test_rotas import ROTA
from tests.api.notify.test_silences import SILENCE
from tests.api.rules.test_planned_activities import PLAN
from tests.api.rules.watched import CHANGE
from tests.api.stand import Stand

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SHARES = 4
"""Tests that divide the operations among them."""
MOST_OF_ALL = 40
"""Fewer operations in the document would mean that it could not be read."""
KNOWN = {
    "/v1/sources": "production",
    "/v1/budgets": "eng monthly",
    "/v1/receivers": "console",
    "/v1/prices": "sonnet output",
    "/v1/rules": "dear days",
    "/v1/planned-activities": "evaluation run",
    "/v1/digests": "weekly spend",
    "/v1/silences": "load test",
    "/v1/rotas": "engineers",
}


@pytest.mark.slow
@pytest.mark.parametrize("examples", [2, pytest.param(25, marks=pytest.mark.fuzz)])
@pytest.mark.parametrize("share", range(SHARES))
async def test_no_request_breaks_the_api_or_gets_an_undocumented_answer(
    stand: Stand, share: int, examples: int
) -> None:
    """Examples are of each mode, right and wrong, for each operation."""
    alert = await rung(stand)
    await stand.create("/prices", PRICE)
    await stand.create("/rules", CHANGE)
    await stand.create("/planned-activities", PLAN)
    await stand.create("/digests", DIGEST | {"receiver": "console"})
    await stand.create("/silences", SILENCE)
    await stand.create("/rotas", ROTA | {"people": [{"name": "ben", "receiver": "console"}]})
    known = KNOWN | {"/v1/alerts": alert["id"]}
    async with serving(stand.app) as url:
        await asyncio.to_thread(attack, url, share, Attacker(dict(stand.admin.headers), known, examples))


@dataclass(frozen=True, slots=True)
class Attacker:
    """Whose requests they are, the resources that it knows, by path, and how often it tries an operation."""

    headers: dict[str, str]
    known: dict[str, str]
    examples: int


def attack(url: str, share: int, attacker: Attacker) -> None:
    """Raises what the first operation that fails a check did wrong. Deletions come last."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) > MOST_OF_ALL
    for operation in sorted(operations[share::SHARES], key=lambda one: one.method.upper() == "DELETE"):
        strike(operation, GenerationMode.POSITIVE, attacker)
        if operation.path.startswith("/v1"):  # the others take nothing that could be wrong
            strike(operation, GenerationMode.NEGATIVE, attacker)


def strike(operation: Any, mode: GenerationMode, attacker: Attacker) -> None:
    """Requests to one operation; each also to a resource that exists."""
    headers = attacker.headers
    name = next((name for prefix, name in attacker.known.items() if operation.path.startswith(f"{prefix}/")), None)

    @settings(
        max_examples=attacker.examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)
        if name is not None and "id" in case.path_parameters:
            case.path_parameters["id"] = name
            case.call_and_validate(headers=headers, checks=CHECKS)

    send()
