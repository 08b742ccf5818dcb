"""What charts show, and their specification."""
