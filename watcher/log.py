"""Logs: one line an event on a terminal, one JSON object a line elsewhere; always on standard error."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(level: str = "info", style: str = "auto") -> None:
    """Set up logging for a command.

    `level` is one of LEVELS; `style` is "console", "json", or "auto", which is "console" on a terminal. Libraries'
    own loggers are heard from warnings up; what they might say of a URL with a token in it is silenced at the source.
    """
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
    ]
    if console:
        colours = sys.stderr.isatty()
        renderer: list[Any] = [
            _without_room,
            structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=24, sort_keys=False),
        ]
    else:
        renderer = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s")
    for name in ("apscheduler", "asyncio", "trafilatura", "htmldate", "justext"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _without_room(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """On a terminal the event's own words say enough."""
    event.pop("room", None)
    return event


def get(name: str) -> Any:
    """The logger of one room; `name` stands in every line as `room`."""
    return structlog.get_logger(room=name)


# Commands that never call `configure` are heard from warnings up; what they print on standard output stays theirs.
structlog.configure(
    wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
)
