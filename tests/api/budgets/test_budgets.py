from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from service.api.http.problems import WRITTEN_OVER_BY
from service.domain.access import Role
from service.domain.values.periods import MOST_ROLLING_DAYS
from service.domain.values.scopes import Cell
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.ports.sources import Directory, WorkspaceName
from tests.api.dashboard.browser import signed_in
from tests.api.sources.test_sources import OTHER
from tests.api.stand import BUDGET, ENG, SOURCE, Stand, answered, pointers, problem

MARKETING = Cell("wrkspc_marketing", "claude-haiku-4-5", "apikey_site")


async def name_workspaces(stand: Stand, *names: tuple[str, str]) -> None:
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        directory = Directory(tuple(WorkspaceName(id, name) for id, name in names), ())
        await uow.directory.replace(source.id, directory, stand.clock())


async def test_the_defaults_ring_at_80_and_100_percent_of_a_calendar_month(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET)
    assert made["source"] == "production"
    assert made["period"] == {"kind": "monthly", "timezone": "UTC", "anchor_day": 1}
    assert [(one["percent"], one["severity"]) for one in made["thresholds"]] == [(80, "warning"), (100, "critical")]
    assert made["scope"] == {"workspaces": [], "models": [], "api_keys": [], "actors": [], "products": []}


async def test_the_source_may_be_left_out_only_while_there_is_one(stand: Stand) -> None:
    assert pointers(await stand.admin.post("/v1/budgets", json=BUDGET)) == ["/source"]
    await stand.create("/sources", SOURCE)
    other = await stand.create("/sources", OTHER)
    assert pointers(await stand.admin.post("/v1/budgets", json=BUDGET)) == ["/source"]
    assert pointers(await stand.admin.post("/v1/budgets", json=BUDGET | {"source": "none"})) == ["/source"]
    made = await stand.create("/budgets", BUDGET | {"source": other["id"]})
    assert made["source"] == "other"
    moved = await stand.admin.patch(f"/v1/budgets/{made['id']}", json={"source": "production"})
    assert pointers(moved) == ["/source"]


async def test_scope_members_are_taken_by_name_stored_by_id_and_shown_by_name(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await name_workspaces(stand, ("wrkspc_eng", "Engineering"), ("wrkspc_1", "Twin"), ("wrkspc_2", "Twin"))
    made = await stand.create("/budgets", BUDGET | {"scope": {"workspaces": ["Engineering", "wrkspc_1", "wrkspc_eng"]}})
    assert made["scope"]["workspaces"] == ["Engineering", "wrkspc_1"]
    async with stand.ports.uow() as uow:
        stored = await uow.budgets.get(made["id"])
    assert stored.spec.scope.workspaces == ("wrkspc_eng", "wrkspc_1")


async def test_an_ambiguous_or_unknown_name_is_refused_and_an_id_yet_unseen_is_taken(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await name_workspaces(stand, ("wrkspc_1", "Twin"), ("wrkspc_2", "Twin"))
    for name in ("Twin", "Enginering"):
        answer = await stand.admin.post("/v1/budgets", json=BUDGET | {"scope": {"workspaces": ["default", name]}})
        assert pointers(answer) == ["/scope/workspaces/1"], name
    await stand.create("/budgets", BUDGET | {"scope": {"workspaces": ["wrkspc_soon", "default"]}})


async def test_a_model_that_the_reports_call_by_its_date_is_not_taken_without(stand: Stand) -> None:
    """It has the form of an id, and would count $0.00 for ever."""
    await stand.create("/sources", SOURCE)
    dated = "claude-sonnet-4-5-20250929"
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        await uow.directory.note_cells(source.id, [Cell("wrkspc_eng", dated, "apikey_ci")], stand.clock())
    alone = BUDGET | {"scope": {"models": ["claude-haiku-4-5", "claude-sonnet-4-5"]}}
    refused = await stand.admin.post("/v1/budgets", json=alone)
    assert pointers(refused) == ["/scope/models/1"]
    assert dated in problem(refused, 422)["detail"]
    both = await stand.create("/budgets", BUDGET | {"scope": {"models": ["claude-sonnet-4-5", dated]}})
    assert both["scope"]["models"] == ["claude-sonnet-4-5", dated]


async def test_a_snapshot_of_another_date_is_another_model_and_may_be_yet_to_come(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        seen = [Cell("wrkspc_eng", id, "apikey_ci") for id in ("claude-opus-4-20250514", "claude-haiku-4-5")]
        await uow.directory.note_cells(source.id, seen, stand.clock())
    new = ["claude-opus-4-20251001"]
    assert (await stand.create("/budgets", BUDGET | {"scope": {"models": new}}))["scope"]["models"] == new
    dated = BUDGET | {"name": "dated", "scope": {"models": ["claude-haiku-4-5-20251001"]}}
    assert "claude-haiku-4-5" in problem(await stand.admin.post("/v1/budgets", json=dated), 422)["detail"]


async def test_a_budget_that_was_taken_before_its_model_was_read_can_still_be_changed(stand: Stand) -> None:
    """Its amount, its thresholds, and whether it is watched have nothing to do with how a model is called."""
    await stand.create("/sources", SOURCE)
    document = BUDGET | {"scope": {"models": ["claude-sonnet-4-5"]}}
    made = await stand.create("/budgets", document)
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        dated = Cell("wrkspc_eng", "claude-sonnet-4-5-20250929", "apikey_ci")
        await uow.directory.note_cells(source.id, [dated], stand.clock())
    address = f"/v1/budgets/{made['id']}"
    assert answered(await stand.admin.patch(address, json={"enabled": False}))["enabled"] is False
    again = document | {"amount": "77.00"}
    assert answered(await stand.admin.patch(address, json=again))["amount"] == "77.00"
    other = {"scope": {"models": ["claude-sonnet-4-5", "claude-opus-4-1"]}}
    assert pointers(await stand.admin.patch(address, json=other)) == ["/scope/models/0"]


@pytest.mark.parametrize(
    ("threshold", "pointer"),
    [
        ({}, "/thresholds/1"),
        ({"percent": 80, "amount": "1.00"}, "/thresholds/1"),
        ({"percent": 50.0, "severity": "critical"}, "/thresholds/1"),
        ({"percent": 0}, "/thresholds/1/percent"),
        ({"percent": "80"}, "/thresholds/1/percent"),
        ({"basis": "hope", "percent": 100}, "/thresholds/1/basis"),
        ({"percent": 80, "severity": "loud"}, "/thresholds/1/severity"),
    ],
)
async def test_an_impossible_threshold_is_refused(stand: Stand, threshold: dict[str, object], pointer: str) -> None:
    await stand.create("/sources", SOURCE)
    answer = await stand.admin.post("/v1/budgets", json=BUDGET | {"thresholds": [{"percent": 50}, threshold]})
    assert pointers(answer) == [pointer]


async def test_a_percentage_comes_back_as_it_was_sent(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET | {"thresholds": [{"percent": 80.1}, {"amount": "12.345678"}]})
    assert [one["percent"] for one in made["thresholds"]] == [80.1, None]
    assert made["thresholds"][1]["amount"] == "12.345678"


async def test_a_patch_of_the_periods_kind_leaves_the_old_kinds_fields_behind(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET | {"period": {"kind": "monthly", "anchor_day": 15}})
    place = f"/v1/budgets/{made['id']}"
    weekly = answered(await stand.admin.patch(place, json={"period": {"kind": "weekly"}}))
    assert weekly["period"] == {"kind": "weekly", "timezone": "UTC", "week_start": "monday"}
    answer = await stand.admin.patch(place, json={"period": {"kind": "rolling"}})
    assert pointers(answer) == ["/period/days"]


async def test_the_days_of_a_rolling_period_have_one_bound_in_rest_and_in_the_form(stand: Stand) -> None:
    schema = answered(await stand.viewer.get("/openapi.json"))["components"]["schemas"]["PeriodIn"]
    assert schema["properties"]["days"]["anyOf"][0]["maximum"] == MOST_ROLLING_DAYS
    await stand.create("/sources", SOURCE)
    longest = {"kind": "rolling", "days": MOST_ROLLING_DAYS}
    await stand.create("/budgets", BUDGET | {"period": longest})
    longer = {"kind": "rolling", "days": MOST_ROLLING_DAYS + 1}
    assert pointers(await stand.admin.post("/v1/budgets", json=BUDGET | {"period": longer})) == ["/period/days"]
    form = await (await signed_in(stand, Role.ADMIN)).get("/pages/budgets/new")
    assert f"1 to {MOST_ROLLING_DAYS}<" in form.text


async def test_the_dates_of_a_custom_period_are_midnights_of_its_zone(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    period = {"kind": "custom", "timezone": "Europe/Berlin", "start": "2026-11-01", "end": "2026-12-01T12:00:00+01:00"}
    made = await stand.create("/budgets", BUDGET | {"period": period})
    assert made["period"]["start"] == "2026-10-31T23:00:00Z"
    assert made["period"]["end"] == "2026-12-01T11:00:00Z"


async def test_the_status_says_what_is_spent_left_and_crossed(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    answered(await stand.admin.put("/v1/routes", json={"items": [{"receiver": "console"}]}))
    made = await stand.create("/budgets", BUDGET)
    await stand.spend(ENG, "85.50")
    await run_evaluation(stand.ports, source["id"])
    (status,) = answered(await stand.viewer.get(f"/v1/budgets/{made['id']}/status"))["items"]
    assert status["period"]["start"] == "2026-11-01T00:00:00Z"
    assert status["period"]["end"] == "2026-12-01T00:00:00Z"
    assert (status["spent"], status["remaining"], status["percent"]) == ("85.50", "14.50", 85.5)
    assert (status["basis"], status["scope"]) == ("billed", "org")
    assert [one["crossed_at"] for one in status["thresholds"]] == ["2026-11-16T12:00:00Z", None]


async def test_no_spend_is_a_share_of_a_budget_of_nothing(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET | {"amount": "0.00", "thresholds": [{"amount": "50.00"}]})
    await stand.spend(ENG, "85.50")
    (status,) = answered(await stand.viewer.get(f"/v1/budgets/{made['id']}/status"))["items"]
    assert (status["spent"], status["percent"]) == ("85.50", None)


async def test_for_each_gives_every_member_a_status_of_its_own(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET | {"for_each": "workspace"})
    await stand.spend(ENG, "85.50")
    await stand.spend(MARKETING, "1.00", day=stand.clock().date() - timedelta(days=1))
    statuses = answered(await stand.viewer.get(f"/v1/budgets/{made['id']}/status"))["items"]
    spent = {status["scope"]: status["spent"] for status in statuses if status["period"]["phase"] == "open"}
    assert spent == {"workspace:wrkspc_eng": "85.50", "workspace:wrkspc_marketing": "1.00"}


async def test_every_write_of_a_budget_has_it_evaluated(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET)
    place = f"/v1/budgets/{made['id']}"
    assert await evaluations_taken(stand) == 1
    answered(await stand.admin.patch(place, json={"amount": "200.00"}))
    assert await evaluations_taken(stand) == 1
    answered(await stand.admin.delete(place), 204)
    assert await evaluations_taken(stand) == 1
    answered(await stand.admin.delete(f"/v1/sources/{source['id']}"), 204)
    assert await evaluations_taken(stand) == 1


async def evaluations_taken(stand: Stand) -> int:
    """Takes the evaluations that wait in the queue out of it."""
    async with stand.engine.begin() as connection:
        taken = await connection.execute(
            text("DELETE FROM procrastinate_jobs WHERE status = 'todo' AND task_name LIKE '%evaluat%' RETURNING id")
        )
        return len(taken.all())


async def test_a_budget_that_cannot_be_assessed_says_so_in_its_status_in_readyz_and_in_metrics(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET)
    place = f"/v1/budgets/{made['id']}/status"
    well = answered(await stand.viewer.get(place))
    assert (well["failures"], well["error"]) == ([], None)
    await put_zone(stand, "Mars/Olympus_Mons")
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
    for _ in range(2):
        await run_evaluation(stand.ports, source.id)
        stand.clock.advance(timedelta(minutes=6))

    status = answered(await stand.viewer.get(place))
    (failure,) = status["failures"]
    assert (failure["scope"], failure["count"], status["items"]) == ("org", 2, [])
    assert failure["since"] < failure["last_at"]
    assert failure["error"] == status["error"]
    assert failure["error"].startswith("ZoneInfoNotFoundError")
    late = {one["work"]: one for one in answered(await stand.viewer.get("/readyz"))["late"]}
    assert [one["name"] for one in late["budgets"]["first"]] == [made["name"]]
    scraped = (await stand.viewer.get("/metrics")).text
    assert "tocsin_budget_failures_total 2.0" in scraped
    assert f'tocsin_budget_scope_failures_total{{budget="{made["name"]}",scope="org"}} 2.0' in scraped
    assert "tocsin_budget_failures_total 2.0" in (await stand.stranger.get("/metrics")).text


async def test_members_of_which_nothing_has_been_read_are_named_in_the_status_and_on_the_page(stand: Stand) -> None:
    """A budget from a file comes before the first poll, when no spelling can be refused."""
    await stand.create("/sources", SOURCE)
    scope = {"workspaces": ["wrkspc_eng"], "models": ["claude-sonnet-4-5"]}
    made = await stand.create("/budgets", BUDGET | {"scope": scope})
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        dated = Cell("wrkspc_eng", "claude-sonnet-4-5-20250929", "apikey_ci")
        await uow.directory.note_cells(source.id, [dated], stand.clock())
    status = answered(await stand.viewer.get(f"/v1/budgets/{made['id']}/status"))
    assert status["unseen"] == ["model:claude-sonnet-4-5"]
    page = (await (await signed_in(stand)).get(f"/pages/budgets/{made['id']}")).text
    assert "Nothing that was read has named model claude-sonnet-4-5: of that it counts nothing." in page
    everything = await stand.create("/budgets", BUDGET | {"name": "all"})
    assert answered(await stand.viewer.get(f"/v1/budgets/{everything['id']}/status"))["unseen"] == []


async def put_zone(stand: Stand, zone: str) -> None:
    """What an update of the machine's time zones does to a stored budget: its zone is known no more."""
    changed = "UPDATE resources SET spec = jsonb_set(spec, '{period,timezone}', to_jsonb(CAST(:zone AS text)))"
    async with stand.engine.begin() as connection:
        await connection.execute(text(f"{changed} WHERE kind = 'budget'").bindparams(zone=zone))


async def test_a_budget_that_cannot_be_read_hides_no_other_in_lists_and_metrics_and_says_so(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    poison = await stand.create("/budgets", BUDGET | {"name": "poison"})
    sound = await stand.create("/budgets", BUDGET | {"name": "sound"})
    async with stand.engine.begin() as connection:
        spoilt = """UPDATE resources SET spec = spec || '{"thresholds"\\: 7}' WHERE name = 'poison'"""
        await connection.execute(text(spoilt))

    listed = answered(await stand.viewer.get("/v1/budgets"))
    assert [one["name"] for one in listed["items"]] == ["sound"]
    (unreadable,) = listed["unreadable"]
    assert (unreadable["id"], unreadable["name"]) == (poison["id"], "poison")
    answer = await stand.viewer.get(f"/v1/budgets/{poison['id']}")
    assert (answer.status_code, answer.json()["detail"]) == (500, unreadable["error"] + WRITTEN_OVER_BY)
    assert "cannot read" in unreadable["error"]
    scraped = (await stand.viewer.get("/metrics")).text
    assert f'tocsin_budget_amount_dollars{{budget="{sound["name"]}",' in scraped


async def test_what_cannot_be_read_is_written_over_or_deleted_by_its_id(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    spoilt = [await stand.create("/budgets", BUDGET | {"name": name}) for name in ("changed", "deleted")]
    async with stand.engine.begin() as connection:
        await connection.execute(text("""UPDATE resources SET spec = '{"amount"\\: 7}' WHERE kind = 'budget'"""))
    changed, deleted = (f"/v1/budgets/{one['id']}" for one in spoilt)

    said = problem(await stand.viewer.get(changed), 500)["detail"]
    assert said.endswith("DELETE it by its id, or PATCH it with the whole document")
    missing = set(pointers(await stand.admin.patch(changed, json={"labels": {"team": "a"}})))
    assert "/amount" in missing
    whole = {key: value for key, value in BUDGET.items() if key != "name"} | {"amount": "77.00"}
    problem(await stand.admin.patch(changed, json=whole, headers={"If-Match": '"7"'}), 412)
    after = answered(await stand.admin.patch(changed, json=whole, headers={"If-Match": '"1"'}))
    assert (after["name"], after["amount"], after["version"]) == ("changed", "77.00", 2)
    assert answered(await stand.viewer.get(changed)) == after

    answered(await stand.admin.delete(deleted), 204)
    problem(await stand.viewer.get(deleted), 404)
    events = answered(await stand.admin.get("/v1/audit-events"))["items"]
    assert [event["action"] for event in events[:2]] == ["budget.delete", "budget.change"]
    assert answered(await stand.viewer.get("/v1/budgets"))["unreadable"] == []


async def test_an_unreadable_source_or_receiver_hides_nothing_that_only_names_it(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "log", "channels": [{"kind": "console"}]})
    await stand.create("/budgets", BUDGET)
    async with stand.engine.begin() as connection:
        spoilt = """UPDATE resources SET spec = spec || '{"channels"\\: 7, "base_url"\\: 7}'"""
        await connection.execute(text(f"{spoilt} WHERE kind IN ('source', 'receiver')"))
    (shown,) = answered(await stand.viewer.get("/v1/budgets"))["items"]
    assert shown["source"] == SOURCE["name"]
    for path in ("/v1/alerts", "/v1/notifications", "/v1/routes", "/v1/rules", "/metrics", "/readyz"):
        assert (await stand.viewer.get(path)).status_code == 200, path
    for path in ("/v1/sources", "/v1/receivers"):
        listed = answered(await stand.viewer.get(path))
        assert listed["items"] == []
        assert listed["unreadable"], path


async def test_an_explanation_of_a_budget_that_cannot_be_assessed_says_what_is_wrong(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET)
    columns = "id, kind, name, labels, created_at, valid_from, deleted"
    lost = """jsonb_set(spec, '{period,timezone}', '"Mars/Olympus_Mons"')"""
    newer = f"INSERT INTO resource_versions (version, spec, {columns}) SELECT 2, {lost}, {columns}"
    async with stand.engine.begin() as connection:
        await connection.execute(text(f"{newer} FROM resource_versions WHERE id = '{made['id']}'"))
    (item,) = answered(await stand.viewer.get(f"/v1/explanations?budget={made['id']}"))["items"]
    assert item["scope"] == "org"
    assert "a defect: ZoneInfoNotFoundError" in str(item["gates"])
