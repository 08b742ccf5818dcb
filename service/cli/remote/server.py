"""The server of the commands that speak to one: its address is given, its token is in the environment."""

from __future__ import annotations

import os
import re

from service.bootstrap.errors import SettingError
from service.client import Server


def server_at(url: str) -> Server:
    """Returns the server at an address, with the token of the environment. Raises SettingError."""
    token = os.environ.get("TOCSIN_TOKEN", "").strip()
    if not token:
        raise SettingError("TOCSIN_TOKEN is not set: an API token (viewer to read, operator to answer, admin to apply)")
    if not re.fullmatch(r"[!-~]+", token):  # said here: the library's complaint would show the token
        raise SettingError("TOCSIN_TOKEN holds a space, a line break or another character that no token has")
    return Server(url, token)
