"""What is read, how often, at which prices, and what has been seen there."""

from service.api.sources import directory, polls, prices, sources

ROUTERS = (
    sources.router,
    polls.router,
    directory.router,
    prices.router,
)
