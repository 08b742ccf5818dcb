"""Rules, their kinds, what they would say now, and planned activities."""

from service.api.rules import kinds, planned_activities, preview, rules

ROUTERS = (
    preview.router,
    rules.router,
    kinds.router,
    planned_activities.router,
)
