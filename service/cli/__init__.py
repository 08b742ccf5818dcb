"""The command `tocsin`."""

from service.cli.app import main

__all__ = ["main"]
