"""Rules on pages: all of them, one, the forms that write them, and what one would have fired."""

from service.api.dashboard.rules import editing, pages, trying

ROUTERS = (trying.router, editing.router, pages.router)
"""`/try`, `/tried/...` and `/new` come before `/{id}`."""
