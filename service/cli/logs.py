"""The log: events with keys on standard error, for people or one JSON object a line."""

from __future__ import annotations

import logging
import os
import re
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, WrappedLogger

from service.adapters.postgres.library_logs import is_news
from service.cli.log_rates import LAST, LEFT_OUT, LibrariesLines, LineRates, OwnLines

_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?=[\w-]{1,63}\.[\w-])")
"""A local part has 64 characters at most: without a bound a long line would be read again from each character."""
_HIDDEN = "...@"


def configure_logging(log_format: Literal["console", "json"]) -> None:
    """Renders our own events and the libraries' warnings in one form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rates = LineRates()
    rendering = _for_machines() if log_format == "json" else _for_people()
    structlog.configure(
        processors=[*shared, OwnLines(rates), *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            *shared,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(allow=(LEFT_OUT, LAST)),
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
    )
    handler.setFormatter(formatter)
    handler.addFilter(is_news)
    handler.addFilter(LibrariesLines(rates))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a tick that is still running needs no line


def _for_machines() -> list[structlog.typing.Processor]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(), hide_addresses]


def _for_people() -> list[structlog.typing.Processor]:
    # The renderer's own way with exceptions prints every local variable, secrets included, and takes seconds.
    colours = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    paint = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    return [paint, hide_addresses]


def hide_addresses(_logger: WrappedLogger, _method: str, line: EventDict | str) -> EventDict | str:
    """Shortens mail addresses in a rendered line to their domains, whoever wrote them into it: servers quote them.

    "refused: ann@example.com (550)" becomes "refused: ...@example.com (550)".
    """
    return _ADDRESS.sub(_HIDDEN, line) if isinstance(line, str) else line
