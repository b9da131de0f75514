"""Targets whose instances are all ejected, as reported by Envoy: each further report would cost an attempt."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from ext_proc.plan.targets import Member

_KNOWN_SECONDS: Final = 1.0


class Ejections:
    """The reports to one worker within the last second. Only a hint: Envoy decides in the end."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str], float] = {}

    def note(self, model: str, api: str) -> None:
        """Record that all instances of a model are ejected in an API."""
        self._until[model, api] = self._clock() + _KNOWN_SECONDS

    def without(self, members: Sequence[Member]) -> tuple[Member, ...]:
        """Return the members that may be available; all of them if none is."""
        if not self._until:
            return tuple(members)
        now = self._clock()
        self._until = {target: until for target, until in self._until.items() if until > now}
        return tuple(member for member in members if (member.model, member.api) not in self._until) or tuple(members)
