"""How much of a text may go to the client while more of it is to come.

What a filter looks for may begin in one event and end in another. So the last characters of a text are held back until more of
it has come, and filtered again together with that. A filter may also have changed what it has only seen the beginning of
(`a@b.co`, of `a@b.com`): as long as it changes the last characters, they are shown to it again as they came.
"""

from dataclasses import dataclass
from typing import Final

_PATIENCE: Final = 8
"""Windows of text that may wait for a filter that changes their end each time, as one that changes everything does."""
_BLANKS: Final = (" ", "\n")
"""A word is not cut where that can be helped: its end alone may look like something else."""


@dataclass(slots=True)
class HeldText:
    """The part of one text that has come and not gone."""

    hold_back: int
    """How many characters are held back."""
    text: str = ""

    @property
    def is_due(self) -> bool:
        """Whether there is enough to be filtered."""
        return len(self.text) > self.hold_back

    def release(self, filtered: str) -> str:
        """Return what may go, `filtered` being what filters made of `text`; the rest stays."""
        window = self.hold_back
        if not window:
            self.text = ""
            return filtered
        if filtered[-window:] != self.text[-window:] and len(self.text) <= _PATIENCE * window:
            return ""
        # Of a filter that always changes the end, what stays is filtered once more.
        end = _between_words(filtered, max(len(filtered) - window, 0), window)
        ready, self.text = filtered[:end], filtered[end:]
        return ready

    def release_all(self, filtered: str) -> str:
        """Return all, at the end of the text."""
        self.text = ""
        return filtered


def _between_words(text: str, end: int, window: int) -> int:
    """Return where to cut at the latest, `end` being the last place: a word longer than the window is cut all the same."""
    after_blank = max(text.rfind(blank, 0, end) for blank in _BLANKS) + 1
    return after_blank if end - after_blank <= window else end
