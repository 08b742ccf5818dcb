"""Budgets: periods and thresholds against spend and forecast."""
