from __future__ import annotations

from dataclasses import replace

from service.workflows.operation.command_line import run_checks
from tests.workflows.yard import Yard


async def problem_of(yard: Yard, country: str | None, subdivision: str | None = None) -> str | None:
    """What `tocsin check` says of the source, whose place was stored by another version."""
    async with yard.ports.uow() as uow:
        stored = await uow.sources.get(yard.source.id)
        spec = replace(stored.spec, country=country, subdivision=subdivision)
        await uow.sources.replace(replace(stored, spec=spec, version=stored.version + 1))
    return next(one.problem for one in await run_checks(yard.ports) if one.subject == f"source {yard.source.name}")


async def test_a_place_whose_holidays_are_not_known_any_more_is_told(yard: Yard) -> None:
    assert await problem_of(yard, "DE", "BY") is None
    assert "its holidays are not known: DE has these subdivisions" in (await problem_of(yard, "DE", "gone") or "")
    assert "its holidays are not known: holidays are known of these" in (await problem_of(yard, "ZZ") or "")
