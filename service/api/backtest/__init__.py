"""Rules and budgets replayed over stored history."""

from service.api.backtest import backtests

ROUTERS = (backtests.router,)
