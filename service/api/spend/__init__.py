"""Spend so far, as files and by who pays, what caching saves of it, what Claude Code is used for, and forecasts."""

from service.api.spend import breakdown, caching, chargeback, claude_code, export, forecasts, spend

ROUTERS = (
    spend.router,
    breakdown.router,
    export.router,
    chargeback.router,
    caching.router,
    claude_code.router,
    forecasts.router,
)
