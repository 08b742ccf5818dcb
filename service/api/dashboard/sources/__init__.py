"""The organisations that are read: how fresh and how whole their figures are, and what polls found."""

from service.api.dashboard.sources import editing, listing, one

ROUTERS = (listing.router, editing.router, one.router)
"""`/new` comes before `/{id}`."""
