"""Where the pages about money are."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from service.api.http.fields import LINE

PLACE = "Spend"
SPEND, CHARGEBACK, OWNERS, PRICES = "/pages/spend", "/pages/chargeback", "/pages/owners", "/pages/prices"
OWNER_FILE = f"{OWNERS}/file"
AREAS = (("Spend", SPEND), ("Chargeback", CHARGEBACK), ("Owners", OWNERS), ("Prices", PRICES))
Filter = Annotated[str | None, Query(max_length=200, pattern=LINE)]
