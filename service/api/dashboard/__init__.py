"""The pages at `/` for people who have signed in with a token."""

from service.api.dashboard import (
    access,
    alerts,
    budgets,
    chargeback,
    notify,
    overview,
    rules,
    sign_in,
    sources,
    spend,
    start,
)

ROUTERS = (
    sign_in.router,
    overview.router,
    spend.router,
    chargeback.router,
    alerts.router,
    *budgets.ROUTERS,
    *rules.ROUTERS,
    *sources.ROUTERS,
    *start.ROUTERS,
    *notify.ROUTERS,
    *access.ROUTERS,
)
