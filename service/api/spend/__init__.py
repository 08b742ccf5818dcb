"""What has been spent, and where it is heading."""

from service.api.spend import forecasts, spend

ROUTERS = (
    spend.router,
    forecasts.router,
)
