"""Where the money went, and who pays for it."""

from service.api.dashboard.spend import breakdown, chargeback

ROUTERS = (breakdown.router, chargeback.router)
