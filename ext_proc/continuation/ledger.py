"""What the client has of an answer, text by text, and how much of it another answer has said again.

A stream that takes over must first say again what was said (or was given it, as a prefill). Until it has, nothing of it counts.
"""

from collections.abc import Collection, Hashable

import orjson


class Mismatch(Exception):
    """The answer that was to take over does not begin with what the client has."""


class Ledger:
    """Of one answer."""

    def __init__(self) -> None:
        self._sent: dict[Hashable, str] = {}
        self._new: dict[Hashable, list[str]] = {}
        self._again: dict[Hashable, int] = {}
        self._missing = 0

    @property
    def caught_up(self) -> bool:
        """Whether all that the client has was said again: what comes now is new."""
        return self._missing == 0

    def begin(self) -> None:
        """Let another answer take over; what the last one said beyond the client's share is forgotten if it was never sent."""
        if self.caught_up:
            for key, pieces in self._new.items():
                self._sent[key] = self._sent.get(key, "") + "".join(pieces)
        self._new, self._again = {}, {}
        self._missing = sum(map(len, self._sent.values()))

    def give(self, key: Hashable, length: int) -> None:
        """Count the first `length` characters of a text as said: the one who takes over was given them."""
        self._again[key] = length
        self._missing -= length

    def take(self, key: Hashable, text: str) -> str:
        """Return what is new of a piece of text.

        Raises:
            Mismatch: the client has something else in its place.
        """
        said, sent = self._again.get(key, 0), self._sent.get(key, "")
        known = sent[said : said + len(text)]
        if not text.startswith(known):
            raise Mismatch
        self._again[key] = said + len(known)
        self._missing -= len(known)
        new = text[len(known) :]
        if new:
            self._new.setdefault(key, []).append(new)
        return new

    def mark(self, key: Hashable, value: str = "") -> bool:
        """Return whether something that comes as a whole is new.

        Raises:
            Mismatch: the client has another one in its place.
        """
        whole = value + "\0"
        new = self.take(key, whole)
        if new not in ("", whole):
            raise Mismatch
        return bool(new)

    def take_whole(self, key: Hashable, value: object) -> bool:
        """Return whether one of several values in a place is new, each of which comes as a whole.

        Raises:
            Mismatch: the client has another one in its place.
        """
        return self.mark(key, orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode())

    def has(self, key: Hashable) -> bool:
        """Tell if the client had it before this answer took over."""
        return key in self._sent

    def sent(self) -> dict[Hashable, str]:
        """Return what the client had when this answer took over."""
        return dict(self._sent)

    def consists_of(self, keys: Collection[Hashable]) -> bool:
        """Tell if the client had nothing else."""
        return self._sent.keys() <= set(keys)
