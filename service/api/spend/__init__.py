"""Spend so far, as files and by who pays, what caching saves of it, and forecasts."""

from service.api.spend import breakdown, caching, chargeback, export, forecasts, spend

ROUTERS = (
    spend.router,
    breakdown.router,
    export.router,
    chargeback.router,
    caching.router,
    forecasts.router,
)
