import pytest

from ext_proc.signals.report import CATEGORIES, Report, Signal

GRATITUDE, SUCCESS = "interaction.satisfaction.gratitude", "interaction.satisfaction.success"
CORRECTION, REPETITION = "interaction.misalignment.correction", "interaction.stagnation.repetition"
STANCE, ESCALATION = "interaction.disengagement.negative_stance", "interaction.disengagement.escalation"
BAD_QUERY, RETRY, TIMEOUT = "execution.failure.bad_query", "execution.loops.retry", "environment.exhaustion.timeout"


def _report(*types: str, user_turns: int = 4) -> Report:
    return Report([Signal(type_, 0, 1.0) for type_ in types], user_turns, user_turns, 1.0)


@pytest.mark.parametrize(
    ("types", "score", "quality", "is_concerning"),
    [
        ((), 50, "neutral", False),
        ((GRATITUDE,), 68, "good", False),
        ((GRATITUDE, SUCCESS), 74, "good", False),
        ((GRATITUDE, SUCCESS, SUCCESS), 78.5, "excellent", False),
        ((CORRECTION,), 50, "neutral", False),
        ((CORRECTION, CORRECTION), 35, "poor", True),
        ((REPETITION, REPETITION), 50, "neutral", False),
        ((REPETITION,) * 3, 34, "poor", True),
        ((REPETITION,) * 5, 0, "severe", True),
        ((STANCE,), 40, "neutral", True),
        ((STANCE,) * 5, 0, "severe", True),
        ((ESCALATION, GRATITUDE, SUCCESS, SUCCESS), 0, "severe", True),
        ((BAD_QUERY, RETRY, TIMEOUT), 34, "poor", True),
        ((TIMEOUT,), 47, "neutral", False),
        ((BAD_QUERY,) * 9, 0, "severe", True),
    ],
)
def test_the_score_and_its_word(types: tuple[str, ...], score: float, quality: str, *, is_concerning: bool) -> None:
    report = _report(*types)
    assert (report.score, report.quality, report.is_concerning) == (score, quality, is_concerning)


@pytest.mark.parametrize(("count", "severity"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (50, 3)])
def test_severity_grows_with_the_number(count: int, severity: int) -> None:
    assert _report(*[TIMEOUT] * count).severity("environment.exhaustion") == severity


def test_there_are_seven_categories() -> None:
    assert len(CATEGORIES) == 7
