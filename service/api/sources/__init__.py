"""Sources, their polls and prices, and the directory of what they have brought."""

from service.api.sources import directory, owner_files, owners, polls, prices, sources

ROUTERS = (
    sources.router,
    polls.router,
    directory.router,
    owners.router,
    owner_files.router,
    prices.router,
)
