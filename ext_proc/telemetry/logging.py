"""JSON logs on standard error: constant events, bounded fields, never bodies, header values or credentials."""

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger


def configure_logging(level: str, **fields: Any) -> None:
    """Send structlog and the standard library's logging to standard error as JSON lines; `fields` stand in each line."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[_Line(fields)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Forwarder()], level=max(number, logging.WARNING), force=True)


def get_logger() -> FilteringBoundLogger:
    """Return the logger of this process."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


class _Line:
    """Makes the line of an event in one step: there is one for every request, and a chain of processors costs twice as much."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def __call__(self, _logger: WrappedLogger, level: str, event: EventDict) -> bytes:
        if "error" in event or "exc_info" in event:
            _explain(event)
        line = {**self._fields, **event, "level": level, "timestamp": datetime.now(UTC)}
        return orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z)


def _explain(event: EventDict) -> None:
    # Only where it happened and which type: messages of exceptions may quote what a client sent.
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
    """Brings what libraries log into the same stream, without their arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        get_logger().log(record.levelno, "library_message", logger=record.name, message=str(record.msg)[:200], error=error)
