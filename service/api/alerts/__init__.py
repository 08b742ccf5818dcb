"""Alerts, what people do with them, and feedback."""

from service.api.alerts import alerts, feedback

ROUTERS = (
    alerts.router,
    feedback.router,
)
