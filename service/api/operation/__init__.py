"""Probes and metrics of the process."""

from service.api.operation import metrics, probes

ROUTERS = (
    probes.router,
    metrics.router,
)
