"""Where the money went, and who pays for it."""

from service.api.dashboard.spend import breakdown, chargeback, claude_code

ROUTERS = (breakdown.router, chargeback.router, claude_code.router)
