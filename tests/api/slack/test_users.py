from __future__ import annotations

from typing import Any

import pytest

from tests.api.stand import Stand, answered, pointers, problem

PATH = "/v1/slack-users"
ADA = {"user": "U0ADAFAKE", "role": "operator", "timezone": "Europe/Berlin"}


async def test_the_list_is_empty_until_it_is_written(stand: Stand) -> None:
    first = await stand.viewer.get(PATH)
    assert answered(first) == {"items": [], "next": None}
    assert first.headers["etag"] == '"0"'
    written = await stand.admin.put(PATH, json={"items": [ADA, {"user": "W0FAKE", "role": "viewer"}]})
    assert answered(written)["items"] == [ADA, {"user": "W0FAKE", "role": "viewer", "timezone": "UTC"}]
    assert (await stand.viewer.get(PATH)).headers["etag"] == written.headers["etag"] == '"1"'


async def test_what_was_read_may_be_written_back_and_changes_nothing(stand: Stand) -> None:
    answered(await stand.admin.put(PATH, json={"items": [ADA]}))
    read = answered(await stand.viewer.get(PATH))
    assert (await stand.admin.put(PATH, json=read)).headers["etag"] == '"1"'


async def test_a_write_over_another_version_is_refused(stand: Stand) -> None:
    answered(await stand.admin.put(PATH, json={"items": [ADA]}, headers={"If-Match": '"0"'}))
    problem(await stand.admin.put(PATH, json={"items": []}, headers={"If-Match": '"0"'}), 412)


async def test_only_admins_write_it_and_it_is_audited(stand: Stand) -> None:
    problem(await stand.operator.put(PATH, json={"items": [ADA]}), 403)
    answered(await stand.admin.put(PATH, json={"items": [ADA]}))
    events = answered(await stand.admin.get("/v1/audit-events"))["items"]
    assert ("token:the admin", "slack_users.create") in [(event["actor"], event["action"]) for event in events]


@pytest.mark.parametrize(
    ("items", "pointer"),
    [
        ([{"user": "ada", "role": "operator"}], "/items/0/user"),
        ([{"user": "U0FAKE", "role": "king"}], "/items/0/role"),
        ([{"user": "U0FAKE", "role": "viewer", "timezone": "Mars/Base"}], "/items/0/timezone"),
        ([{"user": "U0FAKE", "role": "viewer", "timezone": "../etc/passwd"}], "/items/0/timezone"),
        ([ADA, ADA], "/items/1/user"),
        ([{**ADA, "name": "Ada"}], "/items/0/name"),
    ],
)
async def test_what_makes_no_sense_is_refused(stand: Stand, items: list[dict[str, Any]], pointer: str) -> None:
    assert pointers(await stand.admin.put(PATH, json={"items": items})) == [pointer]
