"""Methods of well-known libraries, each imported only when it is asked for. They cost milliseconds a point."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from detecting.scored import Judge, Method, Scored, same
from service.domain.detectors.arrays import Floats

REFIT = 7
"""Days a forecast is used before the model is fitted again."""
HISTORY = 112

Forecast = Callable[[Floats], tuple[Floats, Floats]]
"""Up to 112 days -> (expected, distance to the upper limit) of the next 7."""


def forecasting(forecast: Forecast) -> Judge:
    def judge(amounts: Floats, first: int) -> Scored:
        days = amounts.shape[1]
        expected, score = np.zeros((2, amounts.shape[0], days))
        for row in range(amounts.shape[0]):
            for start in range(first, days, REFIT):
                past = amounts[row, max(0, start - HISTORY) : start]
                if np.isnan(past[0]):
                    continue
                centre, reach = (part[: days - start] for part in forecast(past))
                block = slice(start, min(start + REFIT, days))
                expected[row, block] = centre
                score[row, block] = (amounts[row, block] - centre) / np.maximum(reach, 1e-9)
        return Scored(score[:, first:], expected[:, first:], np.zeros_like(score[:, first:], dtype=bool))

    return judge


def prophet(past: Floats) -> tuple[Floats, Floats]:
    pandas, model = import_module("pandas"), import_module("prophet").Prophet(interval_width=0.8)
    model.fit(pandas.DataFrame({"ds": pandas.date_range("2025-01-06", periods=len(past)), "y": past}))
    future = model.predict(model.make_future_dataframe(REFIT).tail(REFIT))
    return future["yhat"].to_numpy(), (future["yhat_upper"] - future["yhat"]).to_numpy()


def exponential_smoothing(past: Floats) -> tuple[Floats, Floats]:
    model = import_module("statsforecast.models").AutoETS(season_length=7)
    answer = model.forecast(y=past, h=REFIT, level=[80])
    return answer["mean"], answer["hi-80"] - answer["mean"]


def seasonal_residual(amounts: Floats, first: int) -> Scored:
    """S-H-ESD's statistic at the newest day: STL season and the median taken out, divided by the MAD."""
    stl = import_module("statsmodels.tsa.seasonal").STL
    expected, score = np.zeros((2, *amounts.shape))
    for row in range(amounts.shape[0]):
        for day in range(first, amounts.shape[1]):
            days = amounts[row, day - HISTORY : day + 1]
            if np.isnan(days[0]):
                continue
            season = stl(days, period=7, robust=True).fit().seasonal
            rest = days - season - np.median(days)
            score[row, day] = rest[-1] / max(1.4826 * float(np.median(np.abs(rest))), 1e-9)
            expected[row, day] = season[-1] + np.median(days)
    return Scored(score[:, first:], expected[:, first:], np.zeros_like(score[:, first:], dtype=bool))


SLOW = (
    ("statsmodels", Method("STL residual (S-H-ESD), k tuned", seasonal_residual, same(3.0), tuned=True)),
    (
        "statsforecast",
        Method("AutoETS weekly refit, k tuned", forecasting(exponential_smoothing), same(1.0), tuned=True),
    ),
    ("prophet", Method("Prophet weekly refit, k tuned", forecasting(prophet), same(1.0), tuned=True)),
)


def installed() -> tuple[list[Method], list[str]]:
    """The methods that can run here, and the libraries that are not installed."""
    warnings.filterwarnings("ignore")
    for name in ("cmdstanpy", "prophet", "prophet.plot"):
        logging.getLogger(name).disabled = True
    missing = [library for library, _ in SLOW if find_spec(library) is None]
    return [method for library, method in SLOW if library not in missing], missing
