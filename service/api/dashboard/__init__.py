"""The pages at `/` for people who have signed in with a token."""

from service.api.dashboard import alerts, budgets, chargeback, overview, rules, sign_in, spend

ROUTERS = (
    sign_in.router,
    overview.router,
    spend.router,
    chargeback.router,
    alerts.router,
    *budgets.ROUTERS,
    *rules.ROUTERS,
)
