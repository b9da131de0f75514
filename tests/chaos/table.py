"""Counts outcomes by the first fault that a request met."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import product

from tests.chaos.client import Request, Seen
from tests.chaos.faults import Fault
from tests.chaos.judge import Outcome, judge

_SHOWN_PROBLEMS = 20


@dataclass(slots=True)
class Table:
    """Results of one run."""

    problems: list[str] = field(default_factory=list)
    """What was wrong, or never came."""
    _met: dict[int, Fault] = field(default_factory=dict)
    _rows: dict[tuple[str, Fault], Counter[Outcome]] = field(default_factory=lambda: defaultdict(Counter))
    _slowest: dict[tuple[str, Fault], float] = field(default_factory=lambda: defaultdict(float))

    def met(self, number: int, fault: Fault) -> None:
        """Remember the first fault of a request."""
        self._met.setdefault(number, fault)

    def count(self, request: Request, seen: Seen) -> Outcome:
        """Count an answer."""
        outcome, problem = judge(request, seen)
        fault = self._met.pop(request.number, Fault.NONE if outcome is Outcome.WHOLE else Fault.REFUSE)
        row = "agents" if request.is_for_agent else "models", fault
        self._rows[row][outcome] += 1
        self._slowest[row] = max(self._slowest[row], seen.seconds)
        if problem:
            kind = "stream" if request.is_streamed else "body"
            told = {name: value for name, value in seen.headers.items() if name.startswith("x-plano")}
            self.problems.append(f"{outcome} #{request.number} {fault}, {kind} {request.path} {told}: {problem}")
        return outcome

    def total(self, outcome: Outcome) -> int:
        """Return how many requests ended so."""
        return sum(counts[outcome] for counts in self._rows.values())

    def __str__(self) -> str:
        """Write the table, and what was wrong."""
        head = f"{'fault':<24}{'requests':>10}" + "".join(f"{outcome:>13}" for outcome in Outcome) + f"{'slowest':>10}"
        rows = [
            self._row(" ".join(row), self._rows[row], self._slowest[row])
            for row in product(("models", "agents"), Fault)
            if row in self._rows
        ]
        every = sum(self._rows.values(), Counter[Outcome]())
        total = self._row("all", every, max(self._slowest.values(), default=0.0))
        return "\n".join([head, *rows, total, *self.problems[:_SHOWN_PROBLEMS]])

    @staticmethod
    def _row(name: str, counts: Counter[Outcome], slowest: float) -> str:
        return f"{name:<24}{counts.total():>10}" + "".join(f"{counts[each]:>13}" for each in Outcome) + f"{slowest:>8.1f} s"
