"""What can go wrong with one request at an upstream, and when it does: seeded, in sequences, at every instance for itself."""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """Kinds of faults, as the table of outcomes names them."""

    NONE = "none"
    REFUSE = "refuse / flap"
    """The instance is down for a while: connections are refused, and those that are open end."""
    RESET = "reset"
    """The connection ends before the response begins."""
    GARBAGE = "not HTTP"
    SILENT = "silent"
    """Nothing ever comes."""
    STALL = "stall"
    """Somewhere in the answer, the first byte of its body or later, nothing more comes."""
    CUT = "cut"
    """The connection ends somewhere in the answer."""
    SHORT = "short stream"
    """The stream ends well, but in the middle of the answer."""
    CORRUPT = "corrupt event"
    """Between the events of a stream comes one that is none."""
    TOO_MANY = "429"
    ERROR = "500"
    UNAVAILABLE = "503"


STATUSES = {Fault.TOO_MANY: 429, Fault.ERROR: 500, Fault.UNAVAILABLE: 503}
OF_STREAMS = (Fault.SHORT, Fault.CORRUPT)
"""A whole body is cut instead."""
_KINDS = tuple(fault for fault in Fault if fault not in (Fault.NONE, Fault.REFUSE))
_STATUS_KINDS = tuple(fault for fault in Fault if fault in STATUSES)
_LONGEST_SEQUENCE = 4


@dataclass(slots=True)
class Weather:
    """Decides what happens to each request of one instance."""

    random: Random
    share: float
    """Share of requests that meet a fault."""
    _coming: deque[Fault] = field(default_factory=deque)

    def calm(self) -> None:
        """Let nothing happen any more."""
        self.share = 0
        self._coming.clear()

    def next(self) -> Fault:
        """Return what happens to the next request."""
        if not self._coming:
            length = self.random.randint(1, _LONGEST_SEQUENCE)
            calm = round(length * (1 - self.share) / self.share) if self.share else 1
            kind = self.random.choice(_KINDS)
            # Statuses come mixed, as from a provider that is overloaded.
            storm = self.random.choices(_STATUS_KINDS if kind in STATUSES else (kind,), k=length if self.share else 0)
            self._coming.extend([*storm, *[Fault.NONE] * calm])
        return self._coming.popleft()
