"""All that is configured as one document."""

from service.api.configuration import config

ROUTERS = (config.router,)
