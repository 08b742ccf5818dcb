"""Who is notified, when: receivers, routes, silences, escalation policies, rotas."""

from service.api.dashboard.notify import escalation, receivers, rota_calendar, rotas, routes, routes_form, silences

ROUTERS = (
    receivers.router,
    receivers.editing,
    routes_form.router,
    routes.router,
    silences.router,
    silences.editing,
    escalation.router,
    escalation.editing,
    rotas.router,
    rotas.editing,
    rota_calendar.router,
)
