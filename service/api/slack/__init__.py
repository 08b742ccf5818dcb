"""Requests from Slack, and what its users may do."""

from service.api.slack import interactions, users

ROUTERS = (
    users.router,
    interactions.router,
)
