"""Opens channels. How one is sent is found by the name of its kind: nothing lists the senders.

Kind `x` has `open_channel(config, dependencies)` in `x.py`, or in `x/channel.py`. It is imported when it is first
needed: who sends no mail loads no mail library.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import cast

from service.adapters.channels.dependencies import Dependencies
from service.domain.notify.channels.registry import ChannelConfig
from service.workflows.ports.channels import Channel

Opener = Callable[[ChannelConfig, Dependencies], Channel]


class ChannelFactory:
    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    def open(self, config: ChannelConfig) -> Channel:
        """Raises DeliveryError for mail where no server is set up."""
        return opener(config.document.kind)(config, self._dependencies)


@cache
def opener(kind: str) -> Opener:
    module = import_module(f"service.adapters.channels.{kind}")
    if hasattr(module, "__path__"):
        module = import_module(f"{module.__name__}.channel")
    return cast("Opener", module.open_channel)
