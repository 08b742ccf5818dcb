"""A plan and what it would have fired, as people and pull requests read it."""

from __future__ import annotations

from service.cli.remote.plan_report import as_document, backtest_lines, markdown, plain
from service.cli.remote.replaying import Firing, ReplayAnswer, ReplayedChange
from service.client.errors import Json

CHANGES: list[dict[str, Json]] = [
    {
        "kind": "rules",
        "name": "jumps @all",
        "action": "change",
        "fields": [{"pointer": "/params/min_percent", "before": 30, "after": 15}],
    }
]


def firing(day: str, name: str = "workspace eng") -> Firing:
    said: Firing = {"severity": "warning", "cause": f"{name} spent $90.00", "excess": "60.005", "raised": False}
    return {"day": day, "scope": "workspace:eng", "threshold": None, "name": name, **said}


def change(*, new: int = 1, error: str = "") -> ReplayedChange:
    before = ReplayAnswer("2026-09-01", "2026-11-28", 1, (firing("2026-09-02"),))
    firings = tuple(firing(f"2026-10-{day + 1:02}", "<b>|eng") for day in range(new))
    return ReplayedChange("rules", "jumps @all", before, ReplayAnswer("2026-09-01", "2026-11-28", new, firings, error))


def test_a_terminal_shows_what_is_new_and_what_is_gone() -> None:
    assert list(backtest_lines([change()])) == [
        "rules jumps @all: fired once as it is, would have fired once, 2026-09-01 to 2026-11-28, as known then",
        "    + 2026-10-01 <b>|eng, warning: <b>|eng spent $90.00",
        "    - 2026-09-02 workspace eng, warning: workspace eng spent $90.00",
    ]


def test_of_many_the_newest_are_listed_and_the_others_counted() -> None:
    lines = list(backtest_lines([change(new=12)]))
    assert lines[1].startswith("    + 2026-10-03")
    assert lines[-1] == "    and 2 older ones"


def test_a_comment_holds_no_markup_of_others_and_calls_nobody() -> None:
    text = markdown(CHANGES, [change()])
    assert "| ~ | rules | jumps @&#8203;all | params/min&lowbar;percent | 30 | 15 |" in text
    assert "| new | 2026-10-01 | &lt;b&gt;&vert;eng | warning | $60.00 |" in text
    assert plain("see https://x.example #12 www.x.example") == (
        "see https:&#8203;//x.example #&#8203;12 www.&#8203;x.example"
    )
    assert {line.count("|") for line in text.splitlines() if line.startswith(("| new", "| gone"))} == {7}


def test_what_never_fires_is_said_so_and_values_are_json() -> None:
    assert next(backtest_lines([change(new=0)])).startswith(
        "rules jumps @all: fired once as it is, would never have fired"
    )
    assert plain({"min_percent": None}) == '{"min&lowbar;percent": null}'


def test_why_nothing_was_replayed_is_said_in_each_form() -> None:
    failed = change(error="there is no source 'new'")
    assert list(backtest_lines([failed])) == ["rules jumps @all: not replayed: there is no source 'new'"]
    assert "there is no source" in markdown(CHANGES, [failed])
    document = as_document(CHANGES, [failed])
    assert document["changes"] == CHANGES
    assert "there is no source" in str(document["backtests"])
