"""Detectors: pure functions from past spend to "is this bucket unusual". numpy is allowed here alone in the domain."""
