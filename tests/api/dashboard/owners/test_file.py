"""Owners as a file: what it would change is shown first, and a mistake names its line and column."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

from httpx import AsyncClient, Response

from service.api.http.bodies import LARGEST
from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.owners.test_editing import owners
from tests.api.dashboard.test_sign_in import hidden
from tests.api.sources.test_owners import patch
from tests.api.stand import Stand, answered

PLACE = "/pages/owners/file"
LINES = "member,owner,tag:team\r\nworkspace:wrkspc_eng,ann@example.com,core\r\napi_key:apikey_lab,eng,\r\n"
STORED = {"workspace:wrkspc_eng": ("ann@example.com", {"team": "core"}), "api_key:apikey_lab": ("eng", {})}


async def uploaded(opened: AsyncClient, content: bytes) -> Response:
    return await opened.post(PLACE, files={"file": ("owners.csv", content, "text/csv")}, data={"text": "ignored"})


def rows(page: str) -> list[tuple[str, ...]]:
    return [
        tuple(map(unescape, row)) for row in re.findall(r"<tr><td>([^<]*)</td><td[^>]*>([^<]*)</td><td>([^<]*)", page)
    ]


def confirmed(page: str) -> dict[str, str]:
    """The fields of the form that stores what was shown."""
    form = page[page.index('name="store"') - 100 :].partition("</form>")[0]
    (text,) = re.findall(r"<textarea[^>]*>\n([^<]*)</textarea>", form)
    return hidden(form) | {"text": unescape(text)}


async def receivers(stand: Stand) -> list[str]:
    return [one["name"] for one in answered(await stand.viewer.get("/v1/receivers"))["items"]]


async def test_what_a_file_would_change_is_shown_and_stored_by_one_more_press(spent: Stand) -> None:
    opened = await signed_in(spent, Role.ADMIN)
    shown = await uploaded(opened, b"\xef\xbb\xbf" + LINES.encode())
    assert shown.status_code == 200, shown.text
    assert rows(shown.text) == [
        ("workspace:wrkspc_eng", "nothing", "ann@example.com, team=core"),
        ("api_key:apikey_lab", "nothing", "eng"),
    ]
    assert "New receivers would be made: ann@example.com." in shown.text
    assert await owners(spent) == {}
    assert await receivers(spent) == ["eng"], "a look stores nothing"
    answer = await opened.post(PLACE, data=confirmed(shown.text))
    assert (answer.status_code, answer.headers.get("location")) == (303, "/pages/owners"), answer.text
    assert await owners(spent) == STORED
    again = await opened.post(PLACE, data={"text": LINES})
    assert "its 2 lines are as it is stored" in again.text


async def test_a_download_sent_back_changes_nothing(spent: Stand) -> None:
    await patch(spent, {"member": "workspace:wrkspc_eng", "owner": "eng", "tags": {"team": "\u00e9quipe, deux"}})
    opened = await signed_in(spent, Role.ADMIN)
    file = await opened.get("/pages/owners/owners.csv")
    assert file.text == (await spent.viewer.get("/v1/owners/csv")).text
    assert "its 4 lines are as it is stored" in (await uploaded(opened, file.content)).text


async def test_a_broken_file_names_line_and_column_and_stores_nothing(spent: Stand) -> None:
    opened = await signed_in(spent, Role.ADMIN)
    for lines, said in (
        (f"{LINES}workspace:nowhere,eng,\r\n", "line 4, member: no workspace 'nowhere' has been seen"),
        (f"{LINES}workspace:wrkspc_research,nobody,\r\n", "line 4, owner: there is no receiver 'nobody'"),
        (f"{LINES}workspace:wrkspc_research,eng\r\n", "line 4: 3 columns expected, 2 found"),
        ("member,tag:severity\r\nworkspace:wrkspc_eng,x\r\n", "line 2, tag:severity: "),
        ("", "line 1: expected the columns"),
    ):
        for sent in ({"text": lines}, {"text": lines, "store": "yes", "version": "0"}):
            answer = await opened.post(PLACE, data=sent)
            assert answer.status_code == 422
            assert said in unescape(answer.text)
            assert "Nothing was changed." in answer.text
            assert lines.replace("\r\n", "\n").strip() in unescape(answer.text).replace("\r\n", "\n")
    assert (await uploaded(opened, b"member\n\xff\n")).status_code == 422
    assert await owners(spent) == {}
    assert await receivers(spent) == ["eng"]


async def test_a_file_that_was_looked_at_before_somebody_elses_change_is_shown_again(spent: Stand) -> None:
    opened = await signed_in(spent, Role.ADMIN)
    mine = confirmed((await opened.post(PLACE, data={"text": LINES})).text)
    await patch(spent, {"member": "workspace:wrkspc_eng", "owner": "eng"})
    answer = await opened.post(PLACE, data=mine)
    assert answer.status_code == 409
    assert "Somebody has changed owners since you looked" in answer.text
    assert rows(answer.text)[0] == ("workspace:wrkspc_eng", "eng", "ann@example.com, team=core")
    assert await owners(spent) == {"workspace:wrkspc_eng": ("eng", {})}
    assert (await opened.post(PLACE, data=confirmed(answer.text))).status_code == 303
    assert await owners(spent) == STORED


async def test_a_file_that_waited_for_a_sign_in_is_looked_at_again(spent: Stand) -> None:
    opened = await signed_in(spent, Role.ADMIN)
    mine = confirmed((await opened.post(PLACE, data={"text": LINES})).text)
    spent.clock.advance(timedelta(hours=12))
    asked = await opened.post(PLACE, data=mine)
    token = {"token": "tcn_FAKE-admin-token-of-the-tests"}
    back = await opened.post("/sign-in", data=hidden(asked.text) | token)
    shown = await opened.post(PLACE, data=hidden(back.text))
    assert len(rows(shown.text)) == 2
    assert await owners(spent) == {}
    assert (await opened.post(PLACE, data=confirmed(shown.text))).status_code == 303


async def test_a_large_file_is_read_and_more_than_may_be_stored_is_refused_at_the_first_look(spent: Stand) -> None:
    opened = await signed_in(spent, Role.ADMIN)
    keys = "".join(f"api_key:apikey_of_a_large_organisation_{number:020},eng\r\n" for number in range(20_001))
    file = f"member,owner\r\n{keys}".encode()
    assert len(file) > LARGEST
    answer = await uploaded(opened, file)
    assert answer.status_code == 422
    assert "at most 20,000 have owners or tags" in answer.text


async def test_whoever_is_no_admin_only_downloads(spent: Stand) -> None:
    opened = await signed_in(spent)
    assert (await opened.get(PLACE)).status_code == 403
    assert (await opened.post(PLACE, data={"text": LINES})).status_code == 403
    assert (await opened.get("/pages/owners/owners.csv")).status_code == 200
