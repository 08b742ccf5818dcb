"""Rules on pages: all of them, one, the forms that write them, what one would have fired, and planned activities."""

from service.api.dashboard.rules import editing, pages, planned, planned_form, trying

ROUTERS = (trying.router, editing.router, pages.router, planned_form.editing, planned.router)
"""`/try`, `/tried/...` and `/new` come before `/{id}`."""
