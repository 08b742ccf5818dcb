"""The end of a start: what the organisation has spent this month, and a first budget to paste."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

from rich.console import Console

from service.workflows.operation.first_figures import FirstFigures, run_first_figures
from service.workflows.ports.outages import StorageUnavailable
from service.workflows.ports.unit_of_work import Ports

ASKED_EVERY = 1.0
"""Seconds between two looks."""
PATIENCE = timedelta(minutes=10)
"""How long the first bill is waited for; a poll that fails says so in the log, and an alert does."""


async def welcome(ports: Ports, link: str, out: Console) -> None:
    """Waits until the bill was read, and shows the figures; nothing where no real organisation is watched."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while (figures := await run_first_figures(ports)) is None:  # noqa: ASYNC110 - a worker elsewhere may read it
                await asyncio.sleep(ASKED_EVERY)
    except (TimeoutError, StorageUnavailable):
        return
    for line in lines(figures, link):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def lines(figures: FirstFigures, link: str) -> list[str]:
    """Returns the organisation and its month, and a command for a first budget where there is none."""
    shown = [f"{figures.organization}: {figures.spent.total.display()} this month so far ({figures.spent.basis})"]
    if figures.suggested is None:
        return shown
    amount = f"{figures.suggested.usd:.2f}"
    budget = json.dumps({"name": "organisation, monthly", "amount": amount, "period": {"kind": "monthly"}})
    return [
        *shown,
        "No budget watches it yet. One of a fifth above its largest month, with TOCSIN_TOKEN set to an admin's token:",
        f'  curl {link}/v1/budgets -H "Authorization: Bearer $TOCSIN_TOKEN"'
        f" -H 'Content-Type: application/json' -d '{budget}'",
    ]
