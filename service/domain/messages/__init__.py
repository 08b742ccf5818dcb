"""Alerts as messages to people, before any channel's own markup."""
