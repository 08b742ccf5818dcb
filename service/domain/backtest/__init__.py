"""Backtests: a rule or a budget judged over the past, as it was known then, by the functions that judge it live."""
