"""The simulated Admin API as an ASGI application: same paths, headers, envelopes and refusals."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from service.simulator import controls
from service.simulator.protocol import directory
from service.simulator.protocol.analytics import analytics_cost, analytics_usage
from service.simulator.protocol.auth import authenticate, version
from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.claude_code import claude_code
from service.simulator.protocol.cost_report import cost_report
from service.simulator.protocol.errors import ApiError, invalid
from service.simulator.protocol.faults import Faults
from service.simulator.protocol.sabotage import deliver, refuse, spoil
from service.simulator.protocol.state import Call, Clock, Handler, Json, State
from service.simulator.protocol.usage_report import usage_report
from service.simulator.world.records import World

_ROUTES: tuple[tuple[str, str, str, Handler], ...] = (  # method, path, endpoint name for faults, handler
    ("GET", "/v1/organizations/cost_report", "cost_report", cost_report),
    ("GET", "/v1/organizations/usage_report/messages", "usage_report", usage_report),
    ("GET", "/v1/organizations/usage_report/claude_code", "claude_code", claude_code),
    ("GET", "/v1/organizations/analytics/cost", "analytics_cost", analytics_cost),
    ("GET", "/v1/organizations/analytics/usage", "analytics_usage", analytics_usage),
    ("GET", "/v1/organizations/me", "organization", directory.organization),
    ("GET", "/v1/organizations/workspaces", "workspaces", directory.workspaces),
    ("GET", "/v1/organizations/workspaces/{id}", "workspaces", directory.workspace),
    ("GET", "/v1/organizations/api_keys", "api_keys", directory.api_keys),
    ("GET", "/v1/organizations/api_keys/{id}", "api_keys", directory.api_key),
    ("POST", "/v1/organizations/api_keys/{id}", "api_keys", directory.update_api_key),
)


def create_app(world: World, clock: Clock, faults: Faults | None = None, behaviour: Behaviour | None = None) -> FastAPI:
    """An application that answers for `world` as it is at `clock()` (aware UTC).

    People steer it under `/_simulator`; code through the `faults` and `behaviour` handed in.
    """
    state = State(world, clock, faults or Faults(), behaviour or Behaviour())
    app = FastAPI(title="Simulated Claude Admin API", openapi_url=None)
    for method, path, name, handler in _ROUTES:
        app.add_api_route(path, _Endpoint(name, handler, state), methods=[method], response_model=None)
    controls.install(app, state)
    app.add_exception_handler(HTTPException, _no_such_route)
    return app


class _Endpoint:
    """One route: credential, version, rate limit, fault, then the answer itself.

    The answer is computed in a thread, one at a time: a month of minutes takes a moment, and the
    event loop may be the product's own.
    """

    def __init__(self, name: str, handler: Handler, state: State) -> None:
        self._name, self._handler, self._state = name, handler, state
        self._previous: Json | None = None

    async def __call__(self, request: Request) -> Response:
        return await answered(self._state, lambda: self._answer(request))

    async def _answer(self, request: Request) -> Response:
        state, now = self._state, self._state.clock()
        authenticate(request.headers, request.url.path, state.behaviour)
        version(request.headers)
        state.limiter.admit(now, state.behaviour.requests_per_minute)
        token = request.query_params.get("page")
        injection = state.faults.take(self._name, later_page=token is not None)
        if injection:
            refuse(injection)
        call = Call(
            request.headers,
            request.query_params.multi_items(),
            request.path_params,
            await _json_body(request),
            now,
        )
        body = await run_in_threadpool(self._compute, call)
        previous, self._previous = self._previous, body
        if injection is None:
            return JSONResponse(body)
        return deliver(injection, spoil(injection, body, token, previous))

    def _compute(self, call: Call) -> Json:
        with self._state.lock:
            return self._handler(call, self._state)


async def answered(state: State, answer: Callable[[], Awaitable[Response]]) -> Response:
    """The answer or its refusal, with the headers that every response carries."""
    request_id = f"req_{secrets.token_hex(12)}"
    try:
        response = await answer()
    except ApiError as error:
        response = JSONResponse(error.envelope(request_id), status_code=error.status)
        if error.retry_after is not None:
            response.headers["retry-after"] = str(error.retry_after)
    response.headers["request-id"] = request_id
    response.headers["anthropic-organization-id"] = state.world.organization.id
    return response


async def _json_body(request: Request) -> Json:
    if request.method == "GET":
        return {}
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise invalid("The request body is not valid JSON") from error
    if not isinstance(body, dict):
        raise invalid("The request body should be an object")
    return body


async def _no_such_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    request_id = f"req_{secrets.token_hex(12)}"
    refusal = ApiError(status, f"{request.method} {request.url.path} is not served here")
    return JSONResponse(refusal.envelope(request_id), status_code=status, headers={"request-id": request_id})
