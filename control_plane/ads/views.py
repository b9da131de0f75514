"""The snapshot that each role is served at the moment. The publisher changes it step by step; streams follow."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from control_plane.ads.snapshot import NOTHING, Snapshot
from control_plane.ads.types import SERVED_TO, Role


class Views:
    """One snapshot per role: clients only see the types of their role, which matters for secrets."""

    def __init__(self) -> None:
        self._followers: set[asyncio.Event] = set()
        self._current = dict.fromkeys(Role, NOTHING)

    def of(self, role: Role) -> Snapshot:
        """Return the snapshot for clients of a role."""
        return self._current[role]

    def show(self, role: Role, snapshot: Snapshot) -> None:
        """Serve another snapshot to a role."""
        self._current[role] = snapshot.only(SERVED_TO[role])
        for follower in self._followers:
            follower.set()

    @contextmanager
    def following(self, news: asyncio.Event) -> Iterator[None]:
        """Set an event whenever a view changes."""
        self._followers.add(news)
        try:
            yield
        finally:
            self._followers.discard(news)
