"""The kinds of sources as they are written and shown: of Claude, one for each family of reports.

What is stored says so by `prefer` alone: the release before reads such a source, and reads it by the Admin reports.
"""

from __future__ import annotations

from enum import StrEnum

from service.domain.sources.source import ReportFamily, Source, SourceKind
from service.domain.values.errors import Invalid


class ShownKind(StrEnum):
    CLAUDE_ADMIN = "claude_admin"
    CLAUDE_ANALYTICS = "claude_analytics"
    SIMULATOR = "simulator"


def stored_kind(kind: ShownKind) -> SourceKind:
    return SourceKind.SIMULATOR if kind is ShownKind.SIMULATOR else SourceKind.CLAUDE_ADMIN


def stored_preference(kind: ShownKind, prefer: ReportFamily | None) -> ReportFamily | None:
    """Raises Invalid for the analytics reports of a source that knows the Admin reports only."""
    if kind is ShownKind.CLAUDE_ADMIN:
        if prefer is ReportFamily.ANALYTICS:
            raise Invalid(
                "a source of kind claude_admin has no analytics reports; its kind is claude_analytics", "/prefer"
            )
        return None
    return prefer or (ReportFamily.ANALYTICS if kind is ShownKind.CLAUDE_ANALYTICS else None)


def shown_kind(source: Source) -> ShownKind:
    if source.kind is SourceKind.CLAUDE_ADMIN and source.prefer is not None:
        return ShownKind.CLAUDE_ANALYTICS
    return ShownKind(source.kind.value)
