"""Rules on pages: all of them, one, and what it would have fired."""

from service.api.dashboard.rules import pages, trying

ROUTERS = (trying.router, pages.router)
