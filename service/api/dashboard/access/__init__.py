"""Settings, people in Slack, tokens and the audit log."""

from service.api.dashboard.access import audit, settings, slack_users, tokens

ROUTERS = (settings.router, slack_users.router, tokens.router, audit.router)
