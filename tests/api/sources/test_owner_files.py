"""Owners as a file: what is downloaded can be filled in and sent back."""

from __future__ import annotations

import csv
import io

from httpx import Response

from tests.api.sources.test_owners import patch
from tests.api.stand import Stand, answered, problem


async def download(stand: Stand) -> str:
    return (await stand.viewer.get("/v1/owners/csv")).text


async def upload(stand: Stand, text: str) -> Response:
    return await stand.admin.put("/v1/owners/csv", content=text, headers={"Content-Type": "text/csv"})


async def test_a_download_has_a_line_for_everything_and_sent_back_changes_nothing(spent: Stand) -> None:
    await patch(spent, {"member": "workspace:wrkspc_eng", "owner": "eng", "tags": {"team": "=eng"}})
    text = await download(spent)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(one["member"], one["owner"], one["tag:team"]) for one in rows] == [
        ("workspace:wrkspc_eng", "eng", "'=eng"),
        ("api_key:apikey_ci", "", ""),
    ]
    assert answered(await upload(spent, text)) == {"lines": 2, "changed": 0}


async def test_an_upload_sets_what_it_has_a_column_for(spent: Stand) -> None:
    await patch(spent, {"member": "api_key:apikey_ci", "owner": "eng", "tags": {"team": "eng"}})
    text = "member;tag:env\r\napi_key:apikey_ci;prod\r\nworkspace:wrkspc_eng;\r\n"
    assert answered(await upload(spent, text)) == {"lines": 2, "changed": 1}
    (left,) = answered(await spent.viewer.get("/v1/owners"))["items"]
    assert (left["owner"], left["tags"]) == ("eng", {"env": "prod", "team": "eng"})


async def test_a_mistake_names_its_line_and_sets_nothing(spent: Stand) -> None:
    for text, said in (
        ("member,owner\napi_key:apikey_ci,eng\nworkspace:nowhere,eng\n", "line 3, member: no workspace 'nowhere'"),
        ("member,owner\napi_key:apikey_ci,nobody\n", "line 2, owner: there is no receiver 'nobody'"),
        ("member,tag:a b\napi_key:apikey_ci,x\n", "line 2, tag:a b: "),
        ("member,tag:severity\napi_key:apikey_ci,x\n", "line 2, tag:severity: "),
        ("member,owner\napi_key:apikey_ci,eng\napi_key:apikey_ci,eng\n", "line 3, member: api_key:apikey_ci stands"),
    ):
        assert problem(await upload(spent, text), 422)["detail"].startswith(said)
    refused = await spent.admin.put("/v1/owners/csv", content=b"member\n\xff\n")
    assert "byte 8" in problem(refused, 422)["detail"]
    assert answered(await spent.viewer.get("/v1/owners"))["items"] == []
