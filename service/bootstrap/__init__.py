"""Builds the concrete product from settings.

Nothing is imported here: a command imports the modules that it needs, so that `tocsin token` loads no web server.
"""
