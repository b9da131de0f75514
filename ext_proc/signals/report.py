"""The report of a conversation's signals: counts and severities by category, score and quality."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

Quality = Literal["excellent", "good", "neutral", "poor", "severe"]

CATEGORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "interaction.misalignment": ("correction", "rephrase", "clarification"),
    "interaction.stagnation": ("dragging", "repetition"),
    "interaction.disengagement": ("escalation", "quit", "negative_stance"),
    "interaction.satisfaction": ("gratitude", "confirmation", "success"),
    "execution.failure": ("invalid_args", "tool_not_found", "auth_misuse", "state_error", "bad_query"),
    "execution.loops": ("retry", "parameter_drift", "oscillation"),
    "environment.exhaustion": ("rate_limit", "api_error", "timeout", "network", "malformed_response", "context_overflow"),
}
"""Category -> its signals."""

TYPES: Final = tuple(f"{category}.{name}" for category, names in CATEGORIES.items() for name in names)

_NEUTRAL: Final = 50.0
_SATISFIED: Final = 30.0
"""Maximum bonus for satisfaction, enough for `excellent`."""
_SURE: Final = (0.0, 0.6, 0.8, 0.95)
"""Share of the bonus by number of satisfaction signals."""
_MANY_MISALIGNED: Final = 0.3
"""Per user message."""
_BUCKETS: Final[tuple[tuple[float, Quality], ...]] = ((75, "excellent"), (60, "good"), (40, "neutral"), (25, "poor"))


Metadata = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal."""

    type: str
    """One of TYPES."""
    row: int
    """Index of the row that shows it."""
    confidence: float
    """From 0 to 1."""
    metadata: Metadata = field(default_factory=dict)
    """Details. `matched` may quote the conversation; other values are constants, names of tools, and numbers."""
    snippet: str = ""
    """The beginning of the text."""

    @property
    def is_of_phrase(self) -> bool:
        """Whether its match is one of the known phrases, not text of the conversation."""
        return self.type.startswith("interaction.")

    @property
    def category(self) -> str:
        """Its category in CATEGORIES."""
        return self.type.rpartition(".")[0]


@dataclass(frozen=True)
class Report:
    """All signals of a conversation."""

    signals: Sequence[Signal]
    user_turns: int
    assistant_turns: int
    efficiency: float
    """1 for few user messages, decreasing with their number."""
    first_new: int = 0
    """Index of the first row that is new in this request."""

    @property
    def new_signals(self) -> Sequence[Signal]:
        """The signals that are new in this request."""
        return [signal for signal in self.signals if signal.row >= self.first_new]

    @property
    def turns(self) -> int:
        """Turns of users and assistants."""
        return self.user_turns + self.assistant_turns

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """The number of signals by category, without empty ones."""
        return Counter(signal.category for signal in self.signals)

    def severity(self, category: str) -> int:
        """Return 0 for no signal, then 1 to 3."""
        return min(3, (self.counts.get(category, 0) + 1) // 2)

    @cached_property
    def score(self) -> float:
        """From 0 to 100."""
        if self._is_severe:
            return 0.0
        count, severity = self.counts.get, self.severity
        score = _NEUTRAL + _SATISFIED * _SURE[min(3, count("interaction.satisfaction", 0))]
        score -= 10 * severity("interaction.disengagement")
        if self.user_turns and count("interaction.misalignment", 0) / self.user_turns > _MANY_MISALIGNED:
            score -= 15
        if count("interaction.stagnation", 0) > 2:
            score -= 8 * severity("interaction.stagnation")
        score -= 8 * count("execution.failure", 0) + 5 * count("execution.loops", 0) + 3 * count("environment.exhaustion", 0)
        return max(0.0, min(100.0, score))

    @cached_property
    def quality(self) -> Quality:
        """The score as a word."""
        return next((quality for least, quality in _BUCKETS if self.score >= least), "severe")

    @property
    def is_concerning(self) -> bool:
        """Whether the conversation needs attention."""
        count = self.counts.get
        return bool(
            self.quality in ("poor", "severe")
            or count("interaction.disengagement", 0)
            or count("interaction.stagnation", 0) > 2
            or count("execution.failure", 0)
            or count("execution.loops", 0)
        )

    @property
    def _is_severe(self) -> bool:
        gone = any(s.type in ("interaction.disengagement.escalation", "interaction.disengagement.quit") for s in self.signals)
        return gone or 3 in (self.severity("interaction.disengagement"), self.severity("interaction.stagnation"))
