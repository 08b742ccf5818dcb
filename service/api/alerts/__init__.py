"""Alerts, what people do with them, and feedback."""

from service.api.alerts import alerts, drills, feedback

ROUTERS = (
    alerts.router,
    drills.router,
    feedback.router,
)
