"""The Slack workspace that people act from, and the app that hands their acts to us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_ID = 40


@dataclass(frozen=True, slots=True)
class SlackWorkspace:
    """Ids of Slack's: of the workspace, or the organisation of an app that a whole organisation installed; of the app.

    `app` is empty where Slack did not say.
    """

    team: str
    app: str = ""

    def __str__(self) -> str:
        return f"workspace {self.team or 'unknown'}, app {self.app or 'unknown'}"


def read_workspace(payload: Mapping[str, object]) -> SlackWorkspace:
    """Returns where an interaction or a command comes from.

    A person of another workspace, in a channel that both share, comes from theirs.
    """
    here = _id(payload, "team", "id") or _id(payload, "team_id") or _id(payload, "enterprise", "id")
    return SlackWorkspace(_id(payload, "user", "team_id") or here, _id(payload, "api_app_id"))


def _id(value: object, *path: str) -> str:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value[:LONGEST_ID] if isinstance(value, str) else ""
