"""Receivers, routes, escalations, rotas, silences and notifications."""

from service.api.notify import calendars, escalation_policies, notifications, receivers, rotas, routes, silences

ROUTERS = (
    notifications.router,
    receivers.router,
    routes.router,
    escalation_policies.router,
    rotas.router,
    calendars.router,
    silences.router,
)
