from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.sources.poll import PollState
from service.domain.sources.source import ReportFamily, ReportName, SourceState
from service.domain.spend.rows import PRIORITY_TIER, Bucket, Dimensions, UsageFact, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.utc import HOUR
from service.workflows.ports.sources import SourceError
from service.workflows.ports.spend import Stamp
from tests.api.stand import BUDGET, SOURCE, Stand, answered, pointers, problem

OTHER = {"name": "other", "admin_key": "sk-ant-admin01-FAKE-other"}


async def know(stand: Stand, source_id: str, organization_id: str) -> None:
    """What the source's first poll finds out."""
    async with stand.ports.uow() as uow:
        state = await uow.polling_states.get(source_id)
        await uow.polling_states.save(SourceState(source_id, 0, state.next_poll_at, organization_id=organization_id))


async def test_a_secret_is_never_shown(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE)
    assert made["admin_key"] == {"set": True, "hint": "...tion"}
    assert "FAKE" not in (await stand.admin.get("/v1/sources")).text


async def test_the_defaults_read_the_vendors_api_every_five_minutes(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE)
    assert (made["kind"], made["base_url"]) == ("claude_admin", "https://api.anthropic.com")
    assert (made["poll_interval"], made["enabled"]) == ("5m", True)
    assert made["status"]["last_success_at"] is None


async def test_a_new_source_is_due_at_once(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE)
    async with stand.ports.uow() as uow:
        assert await uow.polling_states.claim_due(stand.clock()) == [made["id"]]


async def test_a_stub_keeps_the_stored_key(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE)
    stub = {"admin_key": made["admin_key"], "poll_interval": "10m"}
    answered(await stand.admin.patch(f"/v1/sources/{made['id']}", json=stub))
    async with stand.ports.uow() as uow:
        stored = await uow.sources.get(made["id"])
    assert stand.ports.vault.open(stored.spec.admin_key) == SOURCE["admin_key"]


async def test_a_stub_without_a_stored_key_is_refused(stand: Stand) -> None:
    stub = {"set": True, "hint": "...9f3a"}
    assert pointers(await stand.admin.post("/v1/sources", json={"name": "x", "admin_key": stub})) == ["/admin_key"]


async def test_another_keys_stub_is_refused(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE)
    patch = {"admin_key": {"set": True, "hint": "...9f3a"}}
    assert pointers(await stand.admin.patch(f"/v1/sources/{made['id']}", json=patch)) == ["/admin_key"]


async def test_a_changed_address_needs_its_key_again(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE)
    moved = {"base_url": "https://collector.example"}
    place = f"/v1/sources/{made['id']}"
    assert pointers(await stand.admin.patch(place, json=moved)) == ["/admin_key"]
    after = answered(await stand.admin.patch(place, json=moved | {"admin_key": SOURCE["admin_key"]}))
    assert after["base_url"] == moved["base_url"]


@pytest.mark.parametrize(
    "address",
    [
        "ftp://example.com",
        "https://",
        "https://user:pw@example.com",
        "https://a b",
        "https://example.com/#x",
        "https://[::1",
        "https://example.com:99999",
        "javascript:alert(1)",
        "https://example.com/?key=1",
    ],
)
async def test_an_address_that_is_none_is_refused(stand: Stand, address: str) -> None:
    assert pointers(await stand.admin.post("/v1/sources", json=SOURCE | {"base_url": address})) == ["/base_url"]


async def test_poll_intervals_lie_between_a_minute_and_a_day(stand: Stand) -> None:
    for interval in ("59s", "2d", "0m", "9999999d", "-5m", "5", "5 m", 300):
        answer = await stand.admin.post("/v1/sources", json=SOURCE | {"poll_interval": interval})
        assert pointers(answer) == ["/poll_interval"], interval


async def test_two_enabled_sources_with_one_key_are_a_conflict(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    problem(await stand.admin.post("/v1/sources", json=SOURCE | {"name": "twin"}), 409)
    await stand.create("/sources", SOURCE | {"name": "spare", "enabled": False})


async def test_two_enabled_sources_of_one_organisation_are_a_conflict(stand: Stand) -> None:
    first = await stand.create("/sources", SOURCE)
    second = await stand.create("/sources", OTHER | {"enabled": False})
    for source in (first, second):
        await know(stand, source["id"], "org_FAKE")
    problem(await stand.admin.patch(f"/v1/sources/{second['id']}", json={"enabled": True}), 409)
    answered(await stand.admin.patch(f"/v1/sources/{first['id']}", json={"enabled": False}))
    answered(await stand.admin.patch(f"/v1/sources/{second['id']}", json={"enabled": True}))


@pytest.mark.parametrize("exchanged", ["keys", "names"])
async def test_two_sources_exchange_their_keys_in_one_file(stand: Stand, exchanged: str) -> None:
    first, second = await stand.create("/sources", SOURCE), await stand.create("/sources", OTHER)
    await know(stand, first["id"], "org_first")
    await know(stand, second["id"], "org_second")
    swapped = [SOURCE | {"admin_key": OTHER["admin_key"]}, OTHER | {"admin_key": SOURCE["admin_key"]}]
    if exchanged == "names":
        swapped = [SOURCE | {"name": OTHER["name"]}, OTHER | {"name": SOURCE["name"]}]
    plan = answered(await stand.admin.put("/v1/config", json={"sources": swapped}))
    assert {one["name"] for one in plan["changes"]} == {"production", "other"}
    async with stand.ports.uow() as uow:
        known = [(await uow.polling_states.get(one["id"])).organization_id for one in (first, second)]
    assert known == ["org_second", "org_first"], "the next poll of either is not refused as the other's twin"


async def test_a_key_moves_to_a_source_of_another_name_in_one_file(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    renamed = {"sources": [SOURCE | {"name": "acme"}]}
    refused = await stand.admin.put("/v1/config", json=renamed)
    assert problem(refused, 409)["detail"].startswith("sources 'acme': The enabled source 'production' reads the same")
    answered(await stand.admin.put("/v1/config?unlisted=delete", json=renamed))
    back = {"sources": [SOURCE, SOURCE | {"name": "acme", "enabled": False}]}
    answered(await stand.admin.put("/v1/config", json=back))


async def test_a_source_with_budgets_cannot_be_deleted_and_the_answer_names_them(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    budget = await stand.create("/budgets", BUDGET)
    answer = await stand.admin.delete(f"/v1/sources/{source['id']}")
    assert "eng monthly" in problem(answer, 409)["detail"]
    answered(await stand.admin.delete(f"/v1/budgets/{budget['id']}"), 204)
    answered(await stand.admin.delete(f"/v1/sources/{source['id']}"), 204)


async def test_a_poll_is_queued_and_can_be_followed(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    response = await stand.admin.post("/v1/sources/production/poll")
    poll = answered(response, 202)
    assert (poll["kind"], poll["state"], poll["source_id"]) == ("requested", "queued", source["id"])
    assert answered(await stand.viewer.get(response.headers["location"])) == poll
    assert answered(await stand.viewer.get("/v1/sources/production/polls"))["items"] == [poll]


async def test_a_source_says_what_its_queued_poll_waits_for(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    assert source["status"]["waits_for"] is None

    async def shown() -> object:
        return answered(await stand.viewer.get("/v1/sources/production"))["status"]["waits_for"]

    past = answered(await stand.admin.post("/v1/sources/production/backfill", json={"since": "2026-09-01"}), 202)
    assert await shown() == "worker", "the first poll comes before the past"
    async with stand.ports.uow() as uow:
        backfill = await uow.polls.get(past["id"])
        await uow.polls.save(replace(backfill, state=PollState.RUNNING))
    assert await shown() == "backfill"


async def test_a_disabled_source_is_not_polled(stand: Stand) -> None:
    await stand.create("/sources", SOURCE | {"enabled": False})
    problem(await stand.admin.post("/v1/sources/production/poll"), 409)


async def test_a_backfill_reads_from_a_past_day_to_yesterday(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    poll = answered(await stand.admin.post("/v1/sources/production/backfill", json={"since": "2026-09-01"}), 202)
    assert poll["window"] == {"start": "2026-09-01T00:00:00Z", "end": "2026-11-16T00:00:00Z"}


@pytest.mark.parametrize(
    "since", ["2027-01-01", "2001-01-01", "yesterday", 0, None, "2026-09-01T00:00:00", "0001-01-01"]
)
async def test_a_backfill_from_an_impossible_day_is_refused(stand: Stand, since: object) -> None:
    await stand.create("/sources", SOURCE)
    answer = await stand.admin.post("/v1/sources/production/backfill", json={"since": since})
    assert pointers(answer) == ["/since"]


async def test_a_poll_of_another_source_is_not_found(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/sources", OTHER)
    poll = answered(await stand.admin.post("/v1/sources/production/poll"), 202)
    problem(await stand.viewer.get(f"/v1/sources/other/polls/{poll['id']}"), 404)


async def test_a_check_says_which_organisation_the_key_belongs_to(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    checked = answered(await stand.admin.post("/v1/sources/production/check"))
    assert (checked["ok"], checked["organization_name"]) == (True, "Example Inc")


async def test_a_check_tells_what_the_source_refused(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    stand.source.refusals[ReportName.COST] = SourceError("the key was refused (401)", retryable=False)
    checked = answered(await stand.admin.post("/v1/sources/production/check"))
    assert (checked["ok"], checked["error"]) == (False, "the key was refused (401)")


async def test_a_repeated_check_with_its_key_asks_the_source_once(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    headers = {"Idempotency-Key": "k"}
    answers = [await stand.admin.post("/v1/sources/production/check", headers=headers) for _ in range(2)]
    assert answered(answers[0]) == answered(answers[1])
    assert [one.prefer for one in stand.source.asked] == [
        None,
        ReportFamily.ANALYTICS,
    ]  # once for each family of reports


async def test_a_source_says_which_clock_changes_are_tried_until_a_zone_is_set(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE)
    assert (made["timezone"], made["clock"]["learnt"]) == (None, True)
    assert made["clock"]["timezones"] == ["Europe/Berlin", "America/New_York"]
    changed = answered(await stand.admin.patch(f"/v1/sources/{made['id']}", json={"timezone": "Europe/Madrid"}))
    assert (changed["timezone"], changed["clock"]["learnt"]) == ("Europe/Madrid", False)
    assert {one["timezone"] for one in changed["clock"]["changes"]} == {"Europe/Madrid"}
    async with stand.ports.uow() as uow:
        assert (await uow.sources.get(made["id"])).spec.timezone == "Europe/Madrid"


async def test_a_zone_without_clock_changes_has_none_to_show(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE | {"timezone": "UTC"})
    assert made["clock"] == {"timezones": ["UTC"], "learnt": False, "changes": []}


async def test_a_zone_that_is_none_is_refused(stand: Stand) -> None:
    answer = await stand.admin.post("/v1/sources", json=SOURCE | {"timezone": "Mars/Olympus"})
    assert pointers(answer) == ["/timezone"]
    assert "such as Europe/Berlin" in answer.text


async def test_a_source_shows_the_holidays_of_the_country_that_is_set(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE)
    assert (made["country"], made["subdivision"], made["holidays"]) == (None, None, [])
    place = {"country": "DE", "subdivision": "BY", "timezone": "Europe/Berlin"}
    changed = answered(await stand.admin.patch(f"/v1/sources/{made['id']}", json=place))
    assert (changed["country"], changed["subdivision"]) == ("DE", "BY")
    christmas = next(one for one in changed["holidays"] if one["name"] == "Christmas Day")
    assert christmas["starts_at"].endswith("-12-24T23:00:00Z")
    async with stand.ports.uow() as uow:
        assert (await uow.sources.get(made["id"])).spec.locality.country == "DE"


@pytest.mark.parametrize(
    ("place", "pointer", "told"),
    [
        ({"country": "Atlantis"}, "/country", "AD, AE, AF"),
        ({"country": "DE", "subdivision": "Texas"}, "/subdivision", "BB, BE, BW, BY"),
        ({"subdivision": "BY"}, "/country", "name the country"),
    ],
)
async def test_a_place_without_known_holidays_is_refused_with_those_that_have(
    stand: Stand, place: dict[str, str], pointer: str, told: str
) -> None:
    answer = await stand.admin.post("/v1/sources", json=SOURCE | place)
    assert pointers(answer) == [pointer]
    assert told in answer.text


async def test_a_commitment_to_the_priority_tier_shows_what_is_used_and_left(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE | {"priority_commitment": {"usd": "10.00"}})
    assert made["priority_commitment"] == {"tokens": None, "usd": "10.00"}
    start = stand.clock().replace(minute=0) - HOUR
    await stand.ports.storage.make_room(Window(start, start + HOUR))
    about = Dimensions("default", "claude-sonnet-4-5", token_type="output_tokens", service_tier=PRIORITY_TIER)
    tiers = (about, replace(about, service_tier="standard"))
    used = tuple(UsageFact(one, 500, Money.of("2.50")) for one in tiers)
    async with stand.ports.uow() as uow:
        stamp = Stamp(made["id"], "poll_1", stand.clock())
        await uow.facts.replace_usage(stamp, Width.HOUR, [Bucket(Window(start, start + HOUR), used)])
    priority = answered(await stand.viewer.get(f"/v1/sources/{made['id']}"))["status"]["priority"]
    assert (priority["tokens"], priority["estimate"], priority["used_share"]) == (500, "2.50", "0.2500")
    assert (priority["usd_left"], priority["tokens_left"]) == ("7.50", None)
    assert priority["since"] == "2026-11-01T00:00:00Z"


@pytest.mark.parametrize("commitment", [{}, {"usd": "0.00"}, {"tokens": 5, "usd": "1.00"}])
async def test_a_commitment_that_is_not_one_amount_is_refused(stand: Stand, commitment: dict[str, object]) -> None:
    answer = await stand.admin.post("/v1/sources", json=SOURCE | {"priority_commitment": commitment})
    assert pointers(answer) == ["/priority_commitment"]
