"""Budgets on pages: all of them, and one with its burn-up."""

from service.api.dashboard.budgets import pages

ROUTERS = (pages.router,)
