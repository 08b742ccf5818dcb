from __future__ import annotations

import pytest

from service.api.dashboard.documents.intervals import interval_text, read_interval
from service.api.notify.route_documents import TimeIntervalDocument

NIGHT = {"start_time": "20:00", "end_time": "08:00"}


@pytest.mark.parametrize(
    ("line", "interval"),
    [
        (
            "monday-friday 20:00-08:00 Europe/Berlin",
            {"times": [NIGHT], "weekdays": ["monday:friday"], "location": "Europe/Berlin"},
        ),
        ("Sat, sun", {"times": [], "weekdays": ["saturday", "sunday"]}),
        ("20:00-08:00,12:00-13:00 UTC", {"times": [NIGHT, {"start_time": "12:00", "end_time": "13:00"}],
                                         "weekdays": [], "location": "UTC"}),
        ("Mon - Fri 20:00 \u2013 08:00", {"times": [NIGHT], "weekdays": ["monday:friday"]}),
        ("Mon\u2013Fri", {"times": [], "weekdays": ["monday:friday"]}),
        ("sunday Etc/GMT-5", {"times": [], "weekdays": ["sunday"], "location": "Etc/GMT-5"}),
        ("fri:mon", {"times": [], "weekdays": ["friday:monday"]}),
    ],
)  # fmt: skip
def test_a_line_is_read_as_rest_would_be_sent_it(line: str, interval: dict[str, object]) -> None:
    assert read_interval(line) == interval
    shown = TimeIntervalDocument.model_validate(interval).model_dump(mode="json")
    assert TimeIntervalDocument.model_validate(read_interval(interval_text(shown))).model_dump(mode="json") == shown


@pytest.mark.parametrize("line", ["someday", "m", "9am-5pm", "20:00", "monday--friday", "sunday Europe/Nowhere UTC"])
def test_what_is_no_interval_is_passed_on_whole_for_rest_to_refuse(line: str) -> None:
    read = read_interval(line)
    assert all(word.partition("-")[0] in str(read) for word in line.split())
