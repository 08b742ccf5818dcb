"""Forecasts: what a scope will have spent when a period ends. docs/forecasts.md says how, and how well."""
