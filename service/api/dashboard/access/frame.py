"""Where the pages about access are."""

from __future__ import annotations

from collections.abc import Sequence

from service.domain.access import Caller, Role

PLACE = "Settings"
SETTINGS, SLACK_USERS, TOKENS, AUDIT = "/pages/settings", "/pages/slack-users", "/pages/tokens", "/pages/audit"
_FOR_ALL = (("Settings", SETTINGS), ("People in Slack", SLACK_USERS))
_FOR_ADMINS = (*_FOR_ALL, ("Tokens", TOKENS), ("Audit log", AUDIT))


def areas(caller: Caller) -> Sequence[tuple[str, str]]:
    """Returns the pages that the caller may see."""
    return _FOR_ADMINS if caller.role.allows(Role.ADMIN) else _FOR_ALL
