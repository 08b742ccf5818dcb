"""Tokens, and the audit log."""

from service.api.access import audit_events, tokens

ROUTERS = (
    tokens.router,
    audit_events.router,
)
