"""/_simulator: see the world, break the API, and play incidents while it runs. For people; no credential."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Body, FastAPI
from fastapi.exceptions import HTTPException

from service.simulator.protocol.faults import Fault, Injection
from service.simulator.protocol.paging import stamp
from service.simulator.protocol.state import Json, State
from service.simulator.world.incidents import ANY, ScriptedIncident
from service.simulator.world.records import World
from service.simulator.world.scenarios import SCENARIOS, Order, incident
from service.simulator.world.world import StreamWorld


def install(app: FastAPI, state: State) -> None:
    """Add the control routes to the application."""
    _install_world(app, state)
    _install_faults(app, state)
    _install_incidents(app, state)


def _install_world(app: FastAPI, state: State) -> None:
    @app.get("/_simulator/world")
    def world() -> Json:
        """Who is there, what is going wrong, and what can be played."""
        return {
            "now": stamp(state.clock()),
            "organization": {"id": state.world.organization.id, "name": state.world.organization.name},
            "workspaces": {each.id: each.name for each in state.world.workspaces()},
            "api_keys": {
                key.id: {"name": key.name, "workspace_id": key.workspace_id, "status": key.status}
                for key in state.world.api_keys()
            },
            "scenarios": list(SCENARIOS),
            "incidents": _incidents(state.world),
            "faults": [_injection(one) for one in state.faults.waiting()],
        }


def _install_faults(app: FastAPI, state: State) -> None:
    @app.post("/_simulator/faults", status_code=201)
    def inject(
        endpoint: Annotated[str, Body()],
        fault: Annotated[Fault, Body()],
        times: Annotated[int | None, Body()] = 1,
        seconds: Annotated[float, Body()] = 2,
    ) -> list[Json]:
        """Let an endpoint fail `times` times (null: until cleared); answers with all that wait."""
        try:
            state.faults.inject(endpoint, fault, times, seconds)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return [_injection(one) for one in state.faults.waiting()]

    @app.delete("/_simulator/faults", status_code=204)
    def clear() -> None:
        state.faults.clear()


def _install_incidents(app: FastAPI, state: State) -> None:
    @app.post("/_simulator/incidents", status_code=201)
    def play(
        scenario: Annotated[str, Body()],
        workspace_id: Annotated[str | None, Body()] = ANY,
        api_key_id: Annotated[str, Body()] = ANY,
        hours: Annotated[float, Body(gt=0, le=8784)] = 6,
        factor: Annotated[str | None, Body()] = None,
    ) -> Json:
        """Start a scenario now. A null workspace is the default one, "*" any."""
        if not isinstance(state.world, StreamWorld):
            raise HTTPException(409, "this world is set by hand")
        order = Order(scenario, state.clock(), workspace_id, api_key_id, hours, factor)
        try:
            begun = incident(order)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        with state.lock:
            state.world.add(begun)
            return _incidents(state.world)[-1]

    @app.delete("/_simulator/incidents/{number}")
    def end(number: int) -> Json:
        """End an incident now; what it has spent stays."""
        if not isinstance(state.world, StreamWorld) or not 0 <= number < len(state.world.incidents):
            raise HTTPException(404, "there is no such incident: GET /_simulator/world lists them")
        with state.lock:
            state.world.end(number, state.clock())
            return _incidents(state.world)[number]


def _incidents(world: World) -> list[Json]:
    if not isinstance(world, StreamWorld):
        return []
    return [_incident(number, one, world.reported_after) for number, one in enumerate(world.incidents)]


def _incident(number: int, one: ScriptedIncident, reported_after: timedelta) -> Json:
    return {
        "number": number,
        "scenario": one.name,
        "starts_at": stamp(one.starts_at),
        "ends_at": stamp(one.ends_at),
        "reported_at": stamp(one.starts_at + reported_after),
        "workspace_id": one.workspace_id,
        "api_key_id": one.api_key_id,
        "factor": str(one.factor),
    }


def _injection(one: Injection) -> Json:
    return {"endpoint": one.endpoint, "fault": one.fault.value, "left": one.left, "seconds": one.seconds}
