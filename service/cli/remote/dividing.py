"""Reads by what spend is divided, as people write it: "api_key", "tag:team"."""

from __future__ import annotations

import re

from service.api.spend.breakdown import DivideBy
from service.api.spend.grouping import ATTRIBUTED
from service.bootstrap.errors import OptionError


def read_dimension(option: str, text: str) -> str:
    """Returns what an option was given. Raises OptionError, which names the choices, for anything else."""
    if not re.fullmatch(f"{'|'.join(DivideBy)}|{ATTRIBUTED}", text):
        raise OptionError(f"{option}: expected {', '.join(DivideBy)}, owner or a tag such as tag:team, not {text!r}")
    return text
