"""Settings, tokens and the audit log."""

from service.api.dashboard.access import audit, settings, tokens

ROUTERS = (settings.router, tokens.router, audit.router)
