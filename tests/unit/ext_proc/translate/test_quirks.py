import pytest

from ext_proc.translate.quirks import (
    LOSSLESS,
    Profile,
    claude_effort,
    default_max_tokens,
    openai_effort,
    openai_takes_sampling,
    takes_sampling,
    thinking_style,
)


@pytest.mark.parametrize(
    ("model", "style", "limit", "sampling"),
    [
        ("claude-3-haiku-20240307", "none", 4096, True),
        ("claude-3-5-sonnet-20241022", "none", 8192, True),
        ("claude-3-7-sonnet-latest", "budget", 32_000, True),
        ("claude-opus-4-20250514", "budget", 32_000, True),
        ("claude-sonnet-4-5-20250929", "budget", 32_000, True),
        ("anthropic/claude-haiku-4.5", "budget", 32_000, True),
        ("claude-opus-4-6", "adaptive", 32_000, True),
        ("claude-opus-4-7", "adaptive", 32_000, False),
        ("claude-sonnet-5", "adaptive", 32_000, False),
        ("a-name-we-cannot-read", "adaptive", 32_000, True),
    ],
)
def test_a_claude_is_known_by_its_name(model: str, style: str, limit: int, sampling: bool) -> None:
    assert thinking_style(model, Profile()) == style
    assert default_max_tokens(model, Profile()) == limit
    assert takes_sampling(model) is sampling


def test_a_profile_knows_better() -> None:
    profile = Profile(thinking="none", default_max_tokens=100)
    assert thinking_style("claude-opus-4-7", profile) == "none"
    assert default_max_tokens("claude-opus-4-7", profile) == 100


@pytest.mark.parametrize(
    ("model", "asked", "taken"),
    [
        ("gpt-5", "medium", "medium"),
        ("gpt-5", "xhigh", "high"),
        ("openai/gpt-5.2-codex", "max", "xhigh"),
        ("a-name-we-cannot-read", "max", "high"),
        ("gpt-4o-mini", "low", None),
        ("meta-llama/Llama-3.3-70B-Instruct", "low", None),
        ("grok-3-mini", "low", "low"),
        ("kimi-k3", "medium", "high"),
        ("moonshotai/kimi-k3", "none", "low"),
        ("kimi-k3", "max", "max"),
        ("kimi-for-coding", "low", None),
    ],
)
def test_models_are_asked_for_effort_that_they_take(model: str, asked: str, taken: str | None) -> None:
    assert openai_effort(model, asked, Profile()) == taken
    assert openai_effort(model, asked, LOSSLESS) == asked
    assert openai_effort(model, asked, Profile(reasoning_effort=False)) is None


@pytest.mark.parametrize(
    ("model", "asked", "taken"),
    [("claude-opus-4-6", "xhigh", "high"), ("claude-opus-4-7", "xhigh", "xhigh"), ("claude-opus-4-6", "minimal", "low")],
)
def test_claudes_are_asked_for_effort_that_they_take(model: str, asked: str, taken: str) -> None:
    assert claude_effort(model, asked) == taken


@pytest.mark.parametrize(
    ("model", "samples"),
    [
        ("o3", False),
        ("openai/o4-mini", False),
        ("gpt-5-mini", False),
        ("gpt-5-chat-latest", True),
        ("gpt-4o", True),
        ("kimi-k3", False),
    ],
)
def test_models_that_always_reason_sample_as_they_please(model: str, samples: bool) -> None:
    assert openai_takes_sampling(model, Profile()) is samples
    assert openai_takes_sampling(model, LOSSLESS)
