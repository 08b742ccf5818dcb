"""A drill's alert: nothing is wrong, and somebody rehearses what would happen if something were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from service.domain.alerts.evidence.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillEvidence(Evidence):
    """A rehearsal on a source. `given` are the labels that it carries besides its own, so that routes match them."""

    kind: Literal["drill"] = "drill"
    source_name: str
    given: tuple[tuple[str, str], ...] = ()

    rehearses: ClassVar[bool] = True

    @property
    def labels(self) -> Mapping[str, str]:
        return dict(self.given)
