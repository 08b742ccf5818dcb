"""Why the product does not start."""

from __future__ import annotations


class StartError(Exception):
    """The product cannot start with its setup; the text says what to change."""


class OptionError(StartError):
    """An option or an argument of a command is wrong, or does not go with another; the text names it."""


class SettingError(StartError):
    """A setting is wrong, whatever the database holds; the text names its variable."""
