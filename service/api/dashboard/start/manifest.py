"""The manifest of the Slack app, with the address of this installation."""

from __future__ import annotations

from importlib.resources import files

_EXAMPLE = "https://tocsin.example.com"
_MANIFEST = files("service.api.http").joinpath("templates/slack-manifest.yaml").read_text("utf-8")


def manifest_for(public_url: str) -> str:
    """Returns what to paste. Slack calls no address but an https one: without, the app listens by Socket Mode."""
    if public_url.startswith("https:"):
        return _MANIFEST.replace(_EXAMPLE, public_url)
    lines = [line for line in _said().splitlines() if _EXAMPLE not in line]
    return "\n".join(lines).replace("socket_mode_enabled: false", "socket_mode_enabled: true") + "\n"


def _said() -> str:
    """The manifest without the remarks for who reads the file."""
    return "".join(line for line in _MANIFEST.splitlines(keepends=True) if not line.startswith("#"))
