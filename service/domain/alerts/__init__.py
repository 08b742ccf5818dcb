"""The life of an alert: findings, evidence, the one table of its moves."""
