"""Spend so far, what caching saves of it, and forecasts."""

from service.api.spend import caching, forecasts, spend

ROUTERS = (
    spend.router,
    caching.router,
    forecasts.router,
)
