"""The frame of pages about notifications: where they are."""

from __future__ import annotations

PLACE = "Notify"
RECEIVERS, ROUTES, SILENCES = "/pages/receivers", "/pages/routes", "/pages/silences"
ESCALATION, ROTAS, DIGESTS = "/pages/escalation", "/pages/rotas", "/pages/digests"
AREAS = (
    ("Receivers", RECEIVERS),
    ("Routes", ROUTES),
    ("Silences", SILENCES),
    ("Escalation", ESCALATION),
    ("Rotas", ROTAS),
    ("Digests", DIGESTS),
)
