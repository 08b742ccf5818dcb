"""Budgets on pages: all of them, one with its burn-up, the forms that write them, and what one would have fired."""

from service.api.dashboard.budgets import editing, pages, trying

ROUTERS = (trying.router, editing.router, pages.router)
"""`/tried/...` and `/new` come before `/{id}`."""
