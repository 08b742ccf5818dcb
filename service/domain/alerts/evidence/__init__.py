"""The evidence of alerts: one module a kind of alert, and the list of them all."""

from service.domain.alerts.evidence.budget import BudgetEvidence, ForecastEvidence
from service.domain.alerts.evidence.drill import DrillEvidence
from service.domain.alerts.evidence.evidence import Contribution, Evidence, KeptBucket, OriginKind, OriginRef, Trend
from service.domain.alerts.evidence.incomplete import IncompleteEvidence
from service.domain.alerts.evidence.rule import Heard, LevelChange, RuleEvidence
from service.domain.alerts.evidence.silence_ends import SilenceEndsEvidence
from service.domain.alerts.evidence.stale_source import StaleEvidence
from service.domain.alerts.evidence.undelivered import UndeliveredEvidence
from service.domain.alerts.evidence.unpriced import UnpricedEvidence

ALERT_KINDS: dict[str, type[Evidence]] = {
    "budget": BudgetEvidence,
    "rule": RuleEvidence,
    "stale_source": StaleEvidence,
    "undelivered": UndeliveredEvidence,
    "silence_ends": SilenceEndsEvidence,
    "unpriced": UnpricedEvidence,
    "incomplete": IncompleteEvidence,
    "drill": DrillEvidence,
}
"""Every kind of alert by its word. Stored evidence is read as one of these."""

__all__ = [
    "ALERT_KINDS",
    "BudgetEvidence",
    "Contribution",
    "DrillEvidence",
    "Evidence",
    "ForecastEvidence",
    "Heard",
    "IncompleteEvidence",
    "KeptBucket",
    "LevelChange",
    "OriginKind",
    "OriginRef",
    "RuleEvidence",
    "SilenceEndsEvidence",
    "StaleEvidence",
    "Trend",
    "UndeliveredEvidence",
    "UnpricedEvidence",
]
