"""Tocsin: the alarm bell for Claude API spend."""

__version__ = "0.3.0"
