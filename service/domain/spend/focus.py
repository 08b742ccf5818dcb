"""Spend as FOCUS rows: the FinOps Open Cost and Usage Specification 1.2, https://focus.finops.org/focus-specification/v1-2/

One row is a UTC day's charge of one workspace, model and API key. The reports tell no list prices and no quantities by
charge, so those columns are null, as the specification allows where a provider has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime

from service.domain.spend.best_known import SpendDay
from service.domain.values.csv_text import Value
from service.domain.values.utc import DAY, midnight

PROVIDER = "Anthropic"
COLUMNS = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency",
    "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription",
    "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "ConsumedQuantity", "ConsumedUnit", "ContractedCost",
    "EffectiveCost", "InvoiceId", "InvoiceIssuerName", "ListCost", "PricingCategory", "PricingQuantity", "PricingUnit",
    "ProviderName", "PublisherName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName",
    "ServiceSubcategory", "SkuId", "SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType", "Tags",
    "x_Basis", "x_EstimatedCost",
)  # fmt: skip
"""In the order of the alphabet; what begins with x_ is our own, as the specification has it."""


@dataclass(frozen=True, slots=True)
class Account:
    """The organisation that is billed."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ChargedCell:
    """A day of one workspace, model and API key, with their names."""

    day: date
    workspace: str
    workspace_name: str
    model: str
    api_key: str
    api_key_name: str
    known: SpendDay


def focus_row(cell: ChargedCell, account: Account) -> tuple[Value, ...]:
    """Returns the values of `COLUMNS`.

    BilledCost is what the bill says. EffectiveCost, ContractedCost and ListCost are best-known: the bill, and an
    estimate of what is not billed yet; `x_EstimatedCost` is that part.
    """
    spend, start = cell.known.spend, midnight(cell.day)
    month, following = _month(cell.day)
    values: dict[str, Value] = {
        "BilledCost": spend.billed,
        "BillingAccountId": account.id,
        "BillingAccountName": account.name,
        "BillingAccountType": "Organization",
        "BillingCurrency": "USD",
        "BillingPeriodEnd": _instant(following),
        "BillingPeriodStart": _instant(month),
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{cell.model or 'no model'} in {cell.workspace_name}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": _instant(start + DAY),
        "ChargePeriodStart": _instant(start),
        "ContractedCost": spend.total,
        "EffectiveCost": spend.total,
        "InvoiceIssuerName": PROVIDER,
        "ListCost": spend.total,
        "PricingCategory": "Standard",
        "ProviderName": PROVIDER,
        "PublisherName": PROVIDER,
        "ResourceId": cell.api_key or None,
        "ResourceName": cell.api_key_name or None,
        "ResourceType": "API Key" if cell.api_key else None,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Claude API",
        "ServiceSubcategory": "Generative AI",
        "SkuId": cell.model or None,
        "SubAccountId": cell.workspace or None,
        "SubAccountName": cell.workspace_name if cell.workspace else None,
        "SubAccountType": "Workspace",
        "Tags": json.dumps({}),
        "x_Basis": str(spend.basis),
        "x_EstimatedCost": spend.estimated,
    }
    return tuple(values.get(column) for column in COLUMNS)


def _month(day: date) -> tuple[datetime, datetime]:
    first = day.replace(day=1)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return midnight(first), midnight(following)


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
