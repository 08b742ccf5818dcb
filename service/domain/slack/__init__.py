"""Requests of people in Slack: who may do what, buttons, commands, signatures."""
