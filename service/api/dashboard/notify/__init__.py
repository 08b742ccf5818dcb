"""Who is notified, when: receivers, routes, silences, escalation policies, rotas, digests."""

from service.api.dashboard.notify import (
    digests,
    digests_form,
    escalation,
    receivers,
    rota_calendar,
    rotas,
    routes,
    routes_form,
    silences,
)

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
    digests_form.editing,
    digests.router,
)
