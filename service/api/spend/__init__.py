"""Spend so far, and forecasts of it."""

from service.api.spend import forecasts, spend

ROUTERS = (
    spend.router,
    forecasts.router,
)
