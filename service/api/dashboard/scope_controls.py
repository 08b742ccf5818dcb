"""The controls that several forms share: of whose spend, how severe, with which labels."""

from __future__ import annotations

from collections.abc import Sequence

from service.api.dashboard.documents.controls import Control, ControlKind, Document
from service.domain.values.severity import Severity
from service.workflows.ports.unit_of_work import UnitOfWork

_USUAL_FIRST = (Severity.WARNING, Severity.ERROR, Severity.CRITICAL, Severity.INFO)
SEVERITIES = tuple((one.value, one.value) for one in _USUAL_FIRST)
EACH = (
    ("", "all of it together"),
    ("workspace", "each workspace"),
    ("model", "each model"),
    ("api_key", "each API key"),
    ("actor", "each person, where people are known"),
    ("product", "each product, where people are known"),
)
SCOPE = (
    Control("/scope/workspaces", "Workspaces", ControlKind.LINES, "One a line, by name or id. Empty: all."),
    Control("/scope/models", "Models", ControlKind.LINES, "One a line. Empty: all."),
    Control("/scope/api_keys", "API keys", ControlKind.LINES, "One a line, by name or id. Empty: all."),
    Control("/scope/actors", "People", ControlKind.LINES, "One a line, where people are known. Empty: all."),
    Control("/scope/products", "Products", ControlKind.LINES, "One a line, such as claude_code. Empty: all."),
)
LABELS = Control("/labels", "Labels", ControlKind.PAIRS, "Notes of your own, one a line, such as team=platform.")


async def source_controls(uow: UnitOfWork, document: Document) -> Sequence[Control]:
    """Returns the choice of an organisation where there is one: a resource that is stored stays with its own."""
    names = sorted((await uow.sources.named()).values())
    if "id" in document:
        return (Control("/source", "Organisation", ControlKind.FIXED),)
    if len(names) < 2:
        return ()
    return (Control("/source", "Organisation", ControlKind.CHOICE, choices=tuple((name, name) for name in names)),)
