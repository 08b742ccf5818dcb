"""Whose workspaces, API keys and people are: owners and tags, one by one or as a file."""

from service.api.dashboard.owners import editing, file, listing

ROUTERS = (listing.router, editing.router, file.router)
