"""Where the pages about access are."""

from __future__ import annotations

PLACE = "Settings"
SETTINGS, TOKENS, AUDIT = "/pages/settings", "/pages/tokens", "/pages/audit"
AREAS = (("Settings", SETTINGS), ("Tokens", TOKENS), ("Audit log", AUDIT))
