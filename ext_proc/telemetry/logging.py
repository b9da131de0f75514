"""JSON logs on standard error: constant events, bounded fields, never bodies, header values or credentials."""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger


def configure_logging(level: str, **fields: Any) -> None:
    """Send structlog and the standard library's logging to standard error as JSON lines; `fields` stand in each line."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _with_stack,
            lambda _logger, _method, event: {**fields, **event},
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Forwarder()], level=max(number, logging.WARNING), force=True)


def get_logger() -> FilteringBoundLogger:
    """Return the logger of this process."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def _render(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
    return orjson.dumps(event, default=str)


def _with_stack(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    # Only where it happened and which type: messages of exceptions may quote what a client sent.
    event.pop("exc_info", None)
    error = event.pop("error", None)
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["stack"] = _frames(error.__traceback__)
    elif error is not None:
        event["error"] = error
    return event


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


class _Forwarder(logging.Handler):
    """Brings what libraries log into the same stream, without their arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        get_logger().log(record.levelno, "library_message", logger=record.name, message=str(record.msg)[:200], error=error)
