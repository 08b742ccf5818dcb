"""Words for the parameters of `anomaly`."""

from __future__ import annotations

from service.domain.values.parameters import Parameter

GRANULARITY = Parameter(
    "Looks at",
    "Hours fire early, days catch what is slow. Both make one alert.",
    {"1d": "days", "1h": "hours", "both": "days and hours"},
)
SENSITIVITY = Parameter(
    "Sensitivity",
    "A higher one fires for smaller deviations, and more often for nothing.",
    {"low": "low", "normal": "normal", "high": "high"},
)
LEVELS = Parameter("Fires for", "Whose members may fire by themselves. All others are only named in the alert.")
DIRECTION = Parameter(
    "Fires when spend",
    "A fall is told as information, and only of days whose bill is final.",
    {"up": "is too high", "both": "is too high or too low"},
)
CRITICAL_SPEED = Parameter(
    "Critical from, US dollars a day", "An excess that grows more slowly than that is never critical."
)
CRITICAL_SPENT = Parameter(
    "Critical once spent, US dollars", "A fast excess is critical as soon as it comes to so much."
)
CRITICAL_PERCENT_OF_DAY = Parameter(
    "Or once spent, percent of a usual day", "The same, measured by what the organisation usually spends in a day."
)
CRITICAL_HOURS = Parameter(
    "Or after so many hours", "A fast excess is critical, too, once so many hours in a row are unusual."
)
