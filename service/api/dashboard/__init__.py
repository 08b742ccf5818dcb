"""The pages at `/` for people who have signed in."""

from service.api.dashboard import (
    access,
    alert_corrections,
    alert_handover,
    alerts,
    budgets,
    notify,
    overview,
    owners,
    prices,
    rules,
    sign_in,
    sign_in_by_issuer,
    sources,
    spend,
    start,
)

ROUTERS = (
    sign_in.router,
    sign_in_by_issuer.router,
    overview.router,
    *spend.ROUTERS,
    *owners.ROUTERS,
    *prices.ROUTERS,
    alerts.router,
    alert_corrections.router,
    alert_handover.router,
    *budgets.ROUTERS,
    *rules.ROUTERS,
    *sources.ROUTERS,
    *start.ROUTERS,
    *notify.ROUTERS,
    *access.ROUTERS,
)
