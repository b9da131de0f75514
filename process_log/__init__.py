"""The log of a gateway process: JSON lines on standard error. Logging never raises.

Events are constant words; fields are bounded, and never hold bodies, header values or credentials.
"""

from process_log.lines import Line, configure_logging, get_logger
from process_log.sink import FILE_VARIABLE, LogSink

__all__ = ["FILE_VARIABLE", "Line", "LogSink", "configure_logging", "get_logger"]
