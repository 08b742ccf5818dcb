"""The organisations that are read: how fresh and how whole their figures are, and what polls found."""

from service.api.dashboard.sources import drills, editing, listing, one

ROUTERS = (listing.router, editing.router, one.router, drills.router)
"""`/new` comes before `/{id}`."""
