"""The transcript of an answer: the client's texts, and how much of them a resumed stream has repeated.

A resumed stream must first repeat what was sent (unless it was a prefill). Until then, nothing of it is passed on.
"""

from collections.abc import Collection, Hashable
from typing import Final

import orjson

_MOST_BYTES: Final = 32 << 20
"""Maximum size of a transcript, including Python's overhead: hundreds of thousands of tokens."""
_PIECE_BYTES: Final = 64
_LEAST_REPEATED: Final = 8
"""Minimum length of a repetition: a shorter text may occur twice by chance."""


class Mismatch(Exception):
    """A resumed stream does not begin with what the client has."""


class Transcript:
    """Transcript of one answer."""

    def __init__(self) -> None:
        self._sent: dict[Hashable, str] = {}
        self._new: dict[Hashable, list[str]] = {}
        self._again: dict[Hashable, int] = {}
        self._missing = 0
        self._kept_bytes = 0
        self.is_full = False
        """Whether the answer was too long to be recorded, and cannot be resumed."""
        self._given: Hashable = None
        """The text with a prefill, while the model may still be repeating it."""
        self._doubted = ""
        """Its held beginning, which the client has not received."""

    @property
    def caught_up(self) -> bool:
        """Whether all of the client's answer was repeated, so that the rest is new."""
        return self._missing == 0 and not self._doubted

    def begin(self) -> None:
        """Begin a resumed stream; unsent text of the last one is dropped."""
        if self.caught_up:
            for key, chunks in self._new.items():
                self._sent[key] = self._sent.get(key, "") + "".join(chunks)
        self._new, self._again = {}, {}
        self._given, self._doubted = None, ""
        self._missing = sum(map(len, self._sent.values()))

    def give(self, key: Hashable, length: int) -> None:
        """Count the first `length` characters of a text as repeated, because they were a prefill.

        Some models repeat them all the same, so text is held while it matches the prefill.
        """
        self._again[key] = length
        self._missing -= length
        self._given = key if length >= _LEAST_REPEATED else None

    def take(self, key: Hashable, text: str) -> str:
        """Return the new part of a delta.

        Raises:
            Mismatch: the client has another text.
        """
        if self._given is not None and key == self._given:
            text = self._resolved(key, text)
        said, sent = self._again.get(key, 0), self._sent.get(key, "")
        known = sent[said : said + len(text)]
        if not text.startswith(known):
            raise Mismatch
        self._again[key] = said + len(known)
        self._missing -= len(known)
        new = text[len(known) :]
        if new:
            self._keep(key, new)
        return new

    def _keep(self, key: Hashable, text: str) -> None:
        self._kept_bytes += len(text) + _PIECE_BYTES
        if self._kept_bytes <= _MOST_BYTES:
            self._new.setdefault(key, []).append(text)
        elif not self.is_full:
            self.is_full = True
            self._new.clear()
            self._sent.clear()

    def _resolved(self, key: Hashable, text: str) -> str:
        """Return the text after a prefill; nothing while it may still be a repetition."""
        given, self._doubted = self._sent[key][: self._again[key]], self._doubted + text
        if given.startswith(self._doubted) and given != self._doubted:
            return ""
        came, self._given, self._doubted = self._doubted, None, ""
        return came.removeprefix(given)

    def mark(self, key: Hashable, value: str = "") -> bool:
        """Return whether a whole value is new.

        Raises:
            Mismatch: the client has another one in its place.
        """
        whole = value + "\0"
        new = self.take(key, whole)
        if new not in ("", whole):
            raise Mismatch
        return bool(new)

    def take_whole(self, key: Hashable, value: object) -> bool:
        """Return whether one of several whole values in a place is new.

        Raises:
            Mismatch: the client has another one in its place.
        """
        return self.mark(key, orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode())

    def has(self, key: Hashable) -> bool:
        """Whether the client had it before this stream."""
        return key in self._sent

    def sent(self) -> dict[Hashable, str]:
        """Return the client's text before this stream."""
        return dict(self._sent)

    def consists_of(self, keys: Collection[Hashable]) -> bool:
        """Whether the client had nothing else."""
        return self._sent.keys() <= set(keys)
