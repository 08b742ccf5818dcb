"""Budgets and where they stand."""

from service.api.budgets import budgets, status

ROUTERS = (
    budgets.router,
    status.router,
)
