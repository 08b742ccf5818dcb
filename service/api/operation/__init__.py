"""Probes and metrics of the process, and its clock."""

from service.api.operation import clock, metrics, probes

ROUTERS = (
    probes.router,
    metrics.router,
    clock.router,
)
