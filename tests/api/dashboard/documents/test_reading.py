from __future__ import annotations

from typing import Any

import pytest
from pydantic import JsonValue

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts, Rows
from service.api.dashboard.documents.reading import read_document
from service.api.dashboard.documents.schedules import CHOICES, read_schedule, schedule_text
from service.api.dashboard.documents.showing import ShownControl, ShownRows, differences, show_form

COLUMNS = (Control("/after", "After"), Control("/key", "Key", ControlKind.SECRET))
STEPS = Rows("/steps", "Steps", "Step", lambda _: COLUMNS)
STUB: JsonValue = {"set": True, "hint": "...9f3a"}


@pytest.mark.parametrize(
    ("entry", "text", "value"),
    [
        (ControlKind.LINE, " eng ", "eng"),
        (ControlKind.NUMBER, "5", 5),
        (ControlKind.NUMBER, "5 or 6", "5 or 6"),
        (ControlKind.TICK, "true", True),
        (ControlKind.TICK, "", False),
        (ControlKind.LINES, "a@example.com\r\n\r\nb@example.com", ["a@example.com", "b@example.com"]),
        (ControlKind.PAIRS, "team = eng\nenv=prod=1", {"team": "eng", "env": "prod=1"}),
        (ControlKind.PAIRS, "", {}),
        (ControlKind.INSTANT, "2026-12-05 08:00 UTC", "2026-12-05T08:00:00Z"),
        (ControlKind.INSTANT, "5 Dec", "5 Dec"),
        (ControlKind.SCHEDULE, "0 9 * * 1", "0 9 * * 1"),
        (ControlKind.SCHEDULE, "*/5 nonsense", "*/5 nonsense"),
        (ControlKind.MATCHERS, "team!=eng", [{"label": "team", "op": "!=", "value": "eng"}]),
        (ControlKind.MATCHERS, "workspace =~ a=b|c", [{"label": "workspace", "op": "=~", "value": "a=b|c"}]),
        (
            ControlKind.INTERVALS,
            "sunday 20:00-24:00\r\n",
            [{"times": [{"start_time": "20:00", "end_time": "24:00"}], "weekdays": ["sunday"]}],
        ),
        (ControlKind.MATCHERS, "eng", [{"label": "eng", "op": "", "value": ""}]),
        (ControlKind.TEXT, " two\r\nlines ", " two\nlines "),
    ],
)
def test_a_text_is_read_as_what_it_stands_for(entry: ControlKind, text: str, value: Any) -> None:
    control = Control("/it", "It", entry)
    document = read_document([control], {"/it": text}, {})
    assert document == {"it": value}
    (shown,) = show_form([control], document, {}).parts
    assert isinstance(shown, ShownControl)
    assert read_document([control], {"/it": shown.value}, {}) == document, "what is shown is read alike"


@pytest.mark.parametrize(
    ("on", "at", "cron"),
    [
        ("daily", "7:05", "5 7 * * *"),
        ("working-days", "09:00", "0 9 * * 1-5"),
        ("monday", "09:00", "0 9 * * 1"),
        ("sunday", "23:59", "59 23 * * 0"),
        ("day-28", "00:00", "0 0 28 * *"),
        ("", "09:00", "0 9 1 */3 *"),
        ("monday", "25:00", "monday 25:00"),
        ("monday", "", "monday"),
    ],
)
def test_days_and_a_time_make_a_schedule(on: str, at: str, cron: str) -> None:
    schedule = Control("/cron", "Schedule", ControlKind.SCHEDULE)
    form = {"/cron/on": on, "/cron/at": at, "/cron": "0 9 1 */3 *"}
    document = read_document([schedule], form, {"cron": "0 8 * * *"})
    assert document == {"cron": cron}
    (shown,) = show_form([schedule], document, {}).parts
    assert isinstance(shown, ShownControl)
    assert read_document([schedule], {"/cron": shown.value}, {}) == document, "what is shown is read alike"


@pytest.mark.parametrize("cron", ["0 9 * * *", "30 17 * * 1-5", "0 9 * * 5", "0 9 15 * *"])
def test_a_schedule_of_days_and_a_time_is_shown_so(cron: str) -> None:
    on, _, at = schedule_text(cron).rpartition(" ")
    assert on in dict(CHOICES)
    assert read_schedule(f"{on} {at}") == cron


@pytest.mark.parametrize("cron", ["0 9 1 1 *", "0 9 * * 7", "0 9 31 * *", "0 9-17 * * *", "0 9 * * mon", "60 9 * * *"])
def test_any_other_schedule_stays_a_cron_text(cron: str) -> None:
    assert read_schedule(schedule_text(cron)) == schedule_text(cron) == cron


def test_a_name_that_stands_in_two_lines_is_refused_by_its_name_and_the_lines_stay() -> None:
    labels = Control("/labels", "Labels", ControlKind.PAIRS)
    text = "team=eng\nenv = prod\nteam = ops\nteam=eng"
    document = read_document([labels], {"/labels": text}, {"labels": {"team": "eng"}})
    (shown,) = show_form([labels], document, {"/labels": "must be an object"}).parts
    assert isinstance(shown, ShownControl)
    assert (shown.value, shown.flaw) == (text, "team stands here twice: give it one value")


def test_what_is_left_empty_is_not_sent_and_an_empty_secret_stays() -> None:
    parts = [Control("/country", "Country"), Control("/key", "Key", ControlKind.SECRET)]
    assert read_document(parts, {"/country": "", "/key": ""}, {"country": "DE", "key": STUB}) == {"key": STUB}
    assert read_document(parts, {"/key": "new"}, {"key": STUB}) == {"key": "new"}


def test_an_object_of_which_nothing_is_left_is_left_out_and_one_comes_with_its_first_value() -> None:
    parts = [Control("/committed/tokens", "Tokens", ControlKind.NUMBER), Control("/committed/usd", "Dollars")]
    stored: Document = {"committed": {"tokens": 5, "usd": None}}
    assert read_document(parts, {"/committed/tokens": "", "/committed/usd": ""}, stored) == {}
    assert read_document(parts, {"/committed/usd": "9.00"}, {"committed": None}) == {"committed": {"usd": "9.00"}}
    assert read_document(parts, {}, {"committed": None}) == {"committed": None}


def test_items_are_kept_removed_and_added_and_their_secrets_stay_with_them() -> None:
    stored: Document = {"steps": [{"after": "0s", "key": STUB, "mute_times": [1]}, {"after": "1m"}]}
    form = {
        **sent(stored),
        "/steps/0/after": "5s",
        "/steps/0/key": "",
        "/steps/1/removed": "true",
        "/steps/2/after": "9m",
        "/steps/3/after": " ",
    }
    assert read_document([STEPS], form, stored) == {
        "steps": [{"after": "5s", "key": STUB, "mute_times": [1]}, {"after": "9m"}]
    }


def sent(document: Document, parts: Parts = (STEPS,)) -> dict[str, str]:
    """Returns the fields that a browser sends of a form which nobody has touched."""
    form: dict[str, str] = {}
    for part in show_form(parts, document, {}).parts:
        controls = [one for item in part.items for one in item.controls] if isinstance(part, ShownRows) else [part]
        form |= {one.pointer: one.value.replace("\n", "\r\n") for one in controls}
        form |= dict(item.kept for item in part.items) if isinstance(part, ShownRows) else {}
    return form


def test_an_item_keeps_its_secret_where_its_number_is_anothers_by_now() -> None:
    first: JsonValue = {"after": "1m", "key": STUB}
    second: JsonValue = {"after": "2m", "key": {"set": True, "hint": "...0000"}, "mute_times": [1]}
    form = sent({"steps": [first, second]}) | {"/steps/0/removed": "true", "/steps/1/after": "2 min"}
    refused = read_document([STEPS], form, {"steps": [first, second]})
    again = sent(refused) | {"/steps/0/after": "2m"}
    assert read_document([STEPS], again, {"steps": [first, second]}) == {"steps": [second]}
    assert read_document([STEPS], sent({"steps": [second]}), {"steps": [first]}) == {"steps": [second]}


def test_a_typed_secret_is_not_written_down_twice() -> None:
    assert "s3cret" not in sent({"steps": [{"after": "1m", "key": "s3cret"}]})["/steps/0/kept"]


@pytest.mark.parametrize("kept", ["{", "[]", "[" * 100_000, "1"])
def test_what_no_form_of_ours_keeps_is_nothing(kept: str) -> None:
    form = {"/steps/0/kept": kept, "/steps/0/after": "1m"}
    assert read_document([STEPS], form, {}) == {"steps": [{"after": "1m"}]}


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        (ControlKind.INSTANT, "2026-12-05T08:00:37Z"),
        (ControlKind.LINES, []),
        (ControlKind.PAIRS, {"why": " two  spaces "}),
        (ControlKind.MATCHERS, [{"label": "team", "op": "=", "value": " eng "}]),
        (ControlKind.NUMBER, 0.0000001),
        (ControlKind.TICK, False),
    ],
)
def test_a_value_that_nobody_has_touched_stays_to_the_last_digit(entry: ControlKind, value: JsonValue) -> None:
    parts = [Control("/it", "It", entry)]
    assert read_document(parts, sent({"it": value}, parts), {"it": value}) == {"it": value}


def test_a_stored_choice_that_is_not_offered_stays_chosen() -> None:
    parts = [Control("/receiver", "Receiver", ControlKind.CHOICE, choices=[("console", "console")])]
    (shown,) = show_form(parts, {"receiver": "owner"}, {}).parts
    assert isinstance(shown, ShownControl)
    assert ("owner", "owner") in shown.choices


def test_a_list_of_five_hundred_is_read_whole() -> None:
    stored: Document = {"steps": [{"after": f"{number}m"} for number in range(500)]}
    assert read_document([STEPS], sent(stored), stored) == stored


def test_what_is_wrong_stands_at_its_control_and_the_rest_above() -> None:
    shown = show_form(
        [STEPS], {"steps": [{"after": "x"}]}, {"/steps/0/after": "no duration", "/name": "required", "": "no"}
    )
    assert shown.flaws == ["/name: required", "no"]
    (rows,) = shown.parts
    assert isinstance(rows, ShownRows)
    assert rows.items[0].controls[0].flaw == "no duration"
    assert rows.flaw == ""


def test_the_second_writer_sees_what_differs_but_no_secret() -> None:
    parts: Parts = [Control("/name", "Name"), Control("/key", "Key", ControlKind.SECRET), STEPS]
    found = differences(parts, {"name": "a", "key": STUB, "steps": []}, {"name": "b", "key": "secret", "steps": [{}]})
    assert found == {"/name": "stored now: a", "/steps": "what is stored now differs"}
