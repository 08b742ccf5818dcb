"""Prices of tokens: those of the list, and an operator's own."""

from service.api.dashboard.prices import editing, listing

ROUTERS = (listing.router, editing.router)
