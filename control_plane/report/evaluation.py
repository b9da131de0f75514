"""Figures of an evaluation, as a table or as JSON."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from control_plane.evaluation import Outcome
from control_plane.report.table import table

NOBODY: Final = "(nothing)"
_MOST_MISTAKES: Final = 12


def accuracy(outcomes: Sequence[Outcome]) -> float:
    """Return the share of cases with exactly the expected names."""
    return _share(sum(outcome.is_right for outcome in outcomes), len(outcomes))


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Compute the reported figures; shares are between 0 and 1, None if there are no cases."""
    inside = [outcome for outcome in outcomes if outcome.case.expect]
    outside = [outcome for outcome in outcomes if not outcome.case.expect]
    refused = [outcome for outcome in outcomes if not outcome.names]
    rungs = Counter(outcome.rung for outcome in outcomes)
    seconds = sorted(outcome.seconds for outcome in outcomes)
    return {
        "conversations": len(outcomes),
        "accuracy": accuracy(outcomes),
        "in_scope": {
            "conversations": len(inside),
            "accuracy": _of(inside, sum(outcome.is_right for outcome in inside)),
            "first_accuracy": _of(
                inside, sum(outcome.names[:1] != () and outcome.names[0] in outcome.case.expect for outcome in inside)
            ),
        },
        "out_of_scope": {
            "conversations": len(outside),
            "recall": _of(outside, sum(not outcome.names for outcome in outside)),
            "precision": _of(refused, sum(not outcome.case.expect for outcome in refused)),
        },
        "rungs": {
            rung: {"conversations": count, "accuracy": accuracy([outcome for outcome in outcomes if outcome.rung == rung])}
            for rung, count in sorted(rungs.items())
        },
        "latency_ms": {"p50": _percentile(seconds, 50), "p99": _percentile(seconds, 99)},
        "confusion": _confusion(outcomes),
        "mistakes": [_mistake(outcome) for outcome in outcomes if not outcome.is_right],
    }


def evaluation_json(outcomes: Sequence[Outcome]) -> str:
    """Render the figures for programs."""
    return json.dumps(figures(outcomes), indent=2)


def evaluation_text(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Render the figures for people: shares, rungs, times, and the most frequent mistakes."""
    known = figures(outcomes)
    inside, outside, times = known["in_scope"], known["out_of_scope"], known["latency_ms"]
    yield f"{known['conversations']} conversations, {_percent(known['accuracy'])} decided right"
    yield ""
    yield from table(
        [
            ("in scope", str(inside["conversations"]), "right", _percent(inside["accuracy"])),
            ("", "", "first agent right", _percent(inside["first_accuracy"])),
            ("out of scope", str(outside["conversations"]), "found out (recall)", _percent(outside["recall"])),
            ("", "", "rightly so (precision)", _percent(outside["precision"])),
        ]
    )
    yield ""
    rungs = [(rung, str(of["conversations"]), _percent(of["accuracy"])) for rung, of in known["rungs"].items()]
    yield from table([("decided by", "conversations", "right"), *rungs])
    yield ""
    yield f"  latency  p50 {times['p50']:.1f} ms, p99 {times['p99']:.1f} ms"
    mistakes = Counter(
        (expected, named)
        for expected, row in known["confusion"].items()
        for named, count in row.items()
        for _ in range(count)
        if expected != named
    )
    if mistakes:
        yield ""
        frequent = [(expected, named, str(count)) for (expected, named), count in mistakes.most_common(_MOST_MISTAKES)]
        yield from table([("expected", "decided", "conversations"), *frequent])


def _confusion(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """Count decisions by expected names; several names are one entry, in alphabetical order."""
    rows: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        rows.setdefault(_joined(outcome.case.expect), Counter())[_joined(outcome.names)] += 1
    return {expected: dict(sorted(rows[expected].items())) for expected in sorted(rows)}


def _mistake(outcome: Outcome) -> dict[str, Any]:
    return {
        "line": outcome.case.line,
        "expect": outcome.case.expect,
        "decided": outcome.names,
        "rung": outcome.rung,
        "reason": outcome.reason,
    }


def _joined(names: Sequence[str]) -> str:
    return " + ".join(sorted(names)) or NOBODY


def _of(outcomes: Sequence[Outcome], count: int) -> float | None:
    return _share(count, len(outcomes)) if outcomes else None


def _share(count: int, total: int) -> float:
    return round(count / total, 4)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return round(1000 * ordered[min(len(ordered) - 1, math.ceil(percent / 100 * len(ordered)) - 1)], 3)
