"""The use of Claude Code in a digest's period, in one line."""

from __future__ import annotations

from service.domain.spend.claude_code import CodeActivity


def claude_code_words(activity: CodeActivity) -> str:
    """Empty where it was not used. Its dollars are said to be no spend beside the bill."""
    if not activity.sessions:
        return ""
    people = [_counted(len(activity.people), "active person", "active people")] if activity.people else []
    each = [
        f"{amount.display()} {per}"
        for amount, per in (
            (activity.cost_per_pull_request, "a pull request"),
            (activity.cost_per_person, "a person"),
        )
        if amount is not None
    ]
    done = [
        *people,
        _counted(activity.sessions, "session", "sessions"),
        _counted(activity.pull_requests, "pull request", "pull requests"),
    ]
    cost = f"about {activity.cost.display()}, estimated and part of the bill"
    return f"{', '.join(done)}; {cost}{': ' if each else ''}{', '.join(each)}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
