"""Renders events, including those that libraries log, as lines of JSON."""

import logging
import os
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from process_log.sink import FILE_VARIABLE, LogSink

MOST_CHARACTERS: Final = 500
"""Of one field: a client may send a request id of 80 KB."""


def configure_logging(level: str, **fields: Any) -> None:
    """Send structlog and the standard library's logging to standard error as JSON lines; each line has `fields`."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[Line(fields)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(LogSink(os.environ.get(FILE_VARIABLE, ""))),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Forwarder()], level=max(number, logging.WARNING), force=True)


def get_logger() -> FilteringBoundLogger:
    """Return the logger of this process."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


class Line:
    """Renders an event in one step: a chain of processors would cost twice as much per request."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def __call__(self, _logger: WrappedLogger, level: str, event: EventDict) -> bytes:
        """Render an event; if it cannot be rendered, only its name."""
        if "error" in event or "exc_info" in event:
            _explain(event)
        for key, value in event.items():
            if isinstance(value, str) and len(value) > MOST_CHARACTERS:
                event[key] = f"{value[:MOST_CHARACTERS]}... ({len(value)} characters)"
        line = {**self._fields, **event, "level": level, "timestamp": datetime.now(UTC)}
        try:
            return orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z)
        except orjson.JSONEncodeError:  # a lone surrogate
            return orjson.dumps({"event": ascii(event.get("event")), "level": level, "unprintable": True})


def _explain(event: EventDict) -> None:
    # Only place and type: messages of exceptions may quote a client's data.
    event.pop("exc_info", None)
    error = event.pop("error", None)
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["stack"] = _frames(error.__traceback__)
    elif error is not None:
        event["error"] = error


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


class _Forwarder(logging.Handler):
    """Forwards events of libraries, without their arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        get_logger().log(record.levelno, "library_message", logger=record.name, message=str(record.msg)[:200], error=error)
