"""Spend so far, as files and by who pays, what caching saves of it, and forecasts."""

from service.api.spend import caching, chargeback, export, forecasts, spend

ROUTERS = (
    spend.router,
    export.router,
    chargeback.router,
    caching.router,
    forecasts.router,
)
