"""The typed client: a room for each part of the API.

with TocsinClient(Server("https://tocsin.example.com", token)) as tocsin:
    for alert in tocsin.alerts.list(state=[AlertState.FIRING]):
        print(alert.summary)
"""

from __future__ import annotations

from typing import Self

from service.api.budgets.budgets import BudgetIn, BudgetOut
from service.api.digests.digests import DigestIn, DigestOut
from service.api.notify.escalation_policies import EscalationPolicyIn, EscalationPolicyOut
from service.api.notify.receivers import ReceiverIn, ReceiverOut
from service.api.notify.rotas import RotaIn, RotaOut
from service.api.notify.silences import SilenceIn, SilenceOut
from service.api.rules.planned_activities import PlannedActivityIn, PlannedActivityOut
from service.api.rules.rules import RuleIn, RuleOut
from service.api.sources.prices import PriceIn, PriceOut
from service.api.sources.sources import SourceIn, SourceOut
from service.client.alerts import AlertsClient
from service.client.configured import ConfiguredClient
from service.client.server import Server
from service.client.spend import SpendClient
from service.client.trials import BacktestsClient


class TocsinClient:
    """A server over REST with an API token, in the API's own documents.

    What no room has is asked by `server`.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.alerts, self.spend = AlertsClient(server), SpendClient(server)
        self.backtests = BacktestsClient(server)
        self.sources = ConfiguredClient[SourceIn, SourceOut](server, "/sources", SourceOut)
        self.budgets = ConfiguredClient[BudgetIn, BudgetOut](server, "/budgets", BudgetOut)
        self.rules = ConfiguredClient[RuleIn, RuleOut](server, "/rules", RuleOut)
        self.planned_activities = ConfiguredClient[PlannedActivityIn, PlannedActivityOut](
            server, "/planned-activities", PlannedActivityOut
        )
        self.receivers = ConfiguredClient[ReceiverIn, ReceiverOut](server, "/receivers", ReceiverOut)
        self.silences = ConfiguredClient[SilenceIn, SilenceOut](server, "/silences", SilenceOut)
        self.escalation_policies = ConfiguredClient[EscalationPolicyIn, EscalationPolicyOut](
            server, "/escalation-policies", EscalationPolicyOut
        )
        self.rotas = ConfiguredClient[RotaIn, RotaOut](server, "/rotas", RotaOut)
        self.digests = ConfiguredClient[DigestIn, DigestOut](server, "/digests", DigestOut)
        self.prices = ConfiguredClient[PriceIn, PriceOut](server, "/prices", PriceOut)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()
