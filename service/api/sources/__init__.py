"""Sources, their polls and prices, and the directory of what they have brought."""

from service.api.sources import directory, polls, prices, sources

ROUTERS = (
    sources.router,
    polls.router,
    directory.router,
    prices.router,
)
