"""Budgets on pages: all of them, one with its burn-up, and the forms that write them."""

from service.api.dashboard.budgets import editing, pages

ROUTERS = (editing.router, pages.router)
"""`/new` comes before `/{id}`."""
