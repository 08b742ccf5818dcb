"""Budgets and where they stand."""

from service.api.budgets import budgets, status, statuses

ROUTERS = (
    budgets.router,
    status.router,
    statuses.router,
)
