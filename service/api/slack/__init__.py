"""Requests from Slack, and what its users may do."""

from service.api.slack import interactions, users, workspace

ROUTERS = (
    users.router,
    workspace.router,
    interactions.router,
)
