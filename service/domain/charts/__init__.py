"""Charts of alerts: their content and their specification."""
