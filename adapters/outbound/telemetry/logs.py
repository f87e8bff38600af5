"""One line per event on stderr: JSON for machines, colours for a terminal."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


def configure_logs(process: str, form: Literal["auto", "json", "console"], level: str) -> None:
    """Set up structlog and the standard library's logging alike; every line names `process`."""
    is_console = form == "console" or (form == "auto" and sys.stderr.isatty())

    def named(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        return {"process": process, **event}

    shared: list[Processor] = [
        named,
        _in_one_line,
        structlog.stdlib.add_log_level if is_console else structlog.processors.add_log_level,
        structlog.processors.TimeStamper("%H:%M:%S" if is_console else "iso", utc=not is_console),
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if is_console else structlog.processors.JSONRenderer()
    )
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _adopt_standard_logging(shared, renderer, threshold)


def _in_one_line(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Join the lines of a text: libpq's errors have several, with hints below."""
    for name in ("event", "error"):
        if isinstance(event.get(name), str):
            event[name] = " ".join(event[name].split())
    return event


def _adopt_standard_logging(shared: list[Processor], renderer: Processor, threshold: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    # Libraries log here; below warning they log too much (httpx: every request).
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.WARNING), force=True)
