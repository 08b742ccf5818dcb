"""Rules beyond budgets: one module a kind, each a pure function of (view, rule, now)."""
