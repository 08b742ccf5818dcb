"""Where the pages about money are."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from service.api.http.fields import LINE

PLACE = "Spend"
SPEND, CHARGEBACK, PRICES = "/pages/spend", "/pages/chargeback", "/pages/prices"
AREAS = (("Spend", SPEND), ("Chargeback", CHARGEBACK), ("Prices", PRICES))
Filter = Annotated[str | None, Query(max_length=200, pattern=LINE)]
