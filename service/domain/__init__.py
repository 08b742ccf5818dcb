"""The rules of the product: pure functions and frozen values, no IO, no clock, no framework."""
