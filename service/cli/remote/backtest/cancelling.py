"""Cancels a backtest that waits or runs."""

from __future__ import annotations

from rich.console import Console

from service.bootstrap.errors import OptionError
from service.cli.documents import as_json
from service.client.server import Server
from service.client.trials import BacktestsClient


def wanted_alone(id: str, rule: str, budget: str) -> str:
    """Returns the id. Raises OptionError beside what would start another one."""
    if rule or budget:
        raise OptionError("--cancel ends a backtest: leave --rule and --budget out")
    return id


def cancel(server: Server, id: str, out: Console) -> None:
    """Raises ServerError for one that is over, or that there is not."""
    ended = BacktestsClient(server).cancel(id)
    out.print(f"The backtest of {ended.subject.name} is cancelled.", markup=False, highlight=False)


def cancel_as_json(server: Server, id: str, out: Console) -> None:
    as_json(BacktestsClient(server).cancel(id).model_dump(mode="json"), out)
