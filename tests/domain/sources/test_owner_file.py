"""What a file of owners says: as spreadsheets write it, and where it is wrong."""

from __future__ import annotations

import pytest

from service.domain.sources.owner_file import read_owner_file
from service.domain.sources.ownership import OwnedMember
from service.domain.values.csv_text import csv_text
from service.domain.values.errors import Invalid
from service.domain.values.scopes import Dimension, ScopeKey

CI = ScopeKey(Dimension.API_KEY, "apikey_ci")
BEFORE = OwnedMember("src_1", CI, "rcv_ann", {"team": "eng", "env": "prod"})


@pytest.mark.parametrize(
    "text",
    [
        "member,owner,tag:team\napi_key:ci,ann,eng\n",
        "\ufeffmember;owner;tag:team\r\napi_key:ci;ann;eng\r\n\r\n",
        'owner,name,tag:team,member\r\nann,"=HYPERLINK(1)",eng,"api_key:ci"\r\n',
        "member,name,owner,tag:team\rapi_key:ci,C\u2028I\x85,ann,eng\r",
    ],
    ids=["plain", "of a spreadsheet in Europe", "in another order, quoted", "breaks of lines that CSV has not"],
)
def test_a_file_is_read_however_it_is_separated(text: str) -> None:
    (line,) = read_owner_file(text)
    assert (line.number, line.member, line.owner, dict(line.tags)) == (2, "api_key:ci", "ann", {"team": "eng"})


def test_semicolons_are_read_below_empty_lines() -> None:
    (line,) = read_owner_file("\n\nmember;owner\napi_key:ci;ann\n")
    assert (line.number, line.owner) == (4, "ann")


def test_what_the_file_has_no_column_for_stays() -> None:
    (line,) = read_owner_file("member,tag:team\napi_key:ci,ops\n")
    assert line.applied(BEFORE, None) == OwnedMember("src_1", CI, "rcv_ann", {"team": "ops", "env": "prod"})


def test_an_empty_cell_takes_the_owner_and_the_tag_off() -> None:
    (line,) = read_owner_file("member,owner,tag:team\napi_key:ci,,\n")
    assert line.applied(BEFORE, "") == OwnedMember("src_1", CI, "", {"env": "prod"})


@pytest.mark.parametrize("value", ["=eng", "'=eng", "''-1", "'eng", "eng"])
def test_a_tag_comes_back_from_a_download_as_it_was(value: str) -> None:
    (line,) = read_owner_file(csv_text([("member", "tag:team"), ("api_key:ci", value)]))
    assert line.tags == {"team": value}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: expected the columns source, member"),
        ("member,ownr\n", "line 1: there is no column 'ownr'"),
        ("owner\n", "line 1: the column 'member' is missing"),
        ("member,member\n", "line 1: the column 'member' stands here twice"),
        ("member,owner\na,b\nc\n", "line 3: 2 columns expected, 1 found"),
        ('member,tag:team\napi_key:ci,"eng\napi_key:web,ops\n', "line 3: unexpected end"),
        ('member,tag:team\napi_key:ci,"eng"s\n', "line 2: ',' expected after"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_owner_file(text)
    assert said in str(caught.value)
