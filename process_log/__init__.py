"""The log of a process of the gateway: JSON lines on standard error, made and written in a way that fails no caller.

Events are constant words; fields are bounded, and never hold bodies, header values or credentials.
"""

from process_log.lines import Line, configure_logging, get_logger
from process_log.sink import FILE_VARIABLE, LogSink

__all__ = ["FILE_VARIABLE", "Line", "LogSink", "configure_logging", "get_logger"]
