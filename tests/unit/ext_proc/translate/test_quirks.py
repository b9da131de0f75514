import pytest

from control_plane.config.quirks import API_RULES, MODEL_RULES
from ext_proc.translate.quirks import accepted_effort, accepted_limit, leave_out_refused
from protos.contract.quirks import Quirks, resolve


def known(model: str, api: str) -> Quirks:
    return resolve((*API_RULES, *MODEL_RULES), model, api)


@pytest.mark.parametrize(
    ("model", "style", "limit", "sampling"),
    [
        ("claude-2.1", "none", 4096, True),
        ("claude-3-haiku-20240307", "none", 4096, True),
        ("claude-3-5-sonnet-20241022", "none", 8192, True),
        ("claude-3-7-sonnet-latest", "budget", 32_000, True),
        ("claude-opus-4-20250514", "budget", 32_000, True),
        ("claude-sonnet-4-5-20250929", "budget", 32_000, True),
        ("anthropic/claude-haiku-4.5", "budget", 32_000, True),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "budget", 32_000, True),
        ("claude-opus-4-6", "adaptive", 32_000, True),
        ("claude-opus-4-7", "adaptive", 32_000, False),
        ("claude-sonnet-5", "adaptive", 32_000, False),
        ("claude-fable-5", "adaptive", 32_000, False),
        ("claude-opus-4-10-20270101", "adaptive", 32_000, False),
        ("a-name-we-cannot-read", "adaptive", 32_000, True),
    ],
)
def test_a_claude_is_known_by_its_name(model: str, style: str, limit: int, sampling: bool) -> None:
    quirks = known(model, "messages")
    assert (quirks.thinking, quirks.default_max_tokens, quirks.takes_sampling) == (style, limit, sampling)
    assert quirks.omits_thinking is not sampling


@pytest.mark.parametrize(
    ("model", "api", "asked", "taken"),
    [
        ("gpt-5", "chat_completions", "medium", "medium"),
        ("gpt-5", "responses", "xhigh", "high"),
        ("gpt-5", "responses", "none", "minimal"),
        ("gpt-5-codex", "responses", "minimal", "low"),
        ("gpt-5.1", "responses", "minimal", "low"),
        ("openai/gpt-5.2-codex", "chat_completions", "max", "xhigh"),
        ("gpt-5.2-pro", "responses", "low", "medium"),
        ("gpt-5.6-sol", "chat_completions", "max", "xhigh"),
        ("gpt-5.6-sol", "responses", "max", "max"),
        ("gpt-6-sol", "responses", "max", "max"),
        ("gpt-6-luna", "chat_completions", "xhigh", "xhigh"),
        ("gpt-6.1", "responses", "none", "low"),
        ("gpt-6-astra", "responses", "minimal", "low"),
        ("o3", "chat_completions", "none", "low"),
        ("a-name-we-cannot-read", "chat_completions", "max", "high"),
        ("a-name-we-cannot-read", "chat_completions", "minimal", "minimal"),
        ("gpt-4o-mini", "chat_completions", "low", None),
        ("meta-llama/Llama-3.3-70B-Instruct", "chat_completions", "low", None),
        ("grok-3-mini", "chat_completions", "medium", "high"),
        ("grok-code-fast-1", "chat_completions", "low", None),
        ("grok-4-fast-reasoning", "chat_completions", "high", None),
        ("xai/grok-4.1-fast", "chat_completions", "high", None),
        ("grok-4.3", "chat_completions", "none", "none"),
        ("kimi-k3", "chat_completions", "medium", "high"),
        ("kimi-k3", "chat_completions", "xhigh", "high"),
        ("moonshotai/kimi-k3", "chat_completions", "none", "low"),
        ("kimi-k3", "chat_completions", "max", "max"),
        ("kimi-for-coding", "chat_completions", "low", None),
        ("claude-opus-4-6", "messages", "xhigh", "high"),
        ("claude-opus-4-7", "messages", "xhigh", "xhigh"),
        ("claude-opus-4-6", "messages", "minimal", "low"),
        ("claude-opus-4-6", "messages", "max", "max"),
    ],
)
def test_models_are_asked_for_effort_that_they_take(model: str, api: str, asked: str, taken: str | None) -> None:
    assert accepted_effort(asked, known(model, api)) == taken


def test_a_word_that_is_no_effort_is_the_providers_to_judge() -> None:
    assert accepted_effort("ultra", Quirks(efforts=("low",))) == "ultra"
    assert accepted_effort(3, Quirks()) == 3


@pytest.mark.parametrize(
    ("model", "samples"),
    [
        ("o3", False),
        ("openai/o4-mini", False),
        ("gpt-5-mini", False),
        ("gpt-5-chat-latest", True),
        ("gpt-6-sol", False),
        ("gpt-4o", True),
        ("kimi-k3", False),
    ],
)
def test_models_that_always_reason_sample_as_they_please(model: str, samples: bool) -> None:
    assert known(model, "chat_completions").takes_sampling is samples


def test_limits_are_raised_to_the_lowest_that_is_taken() -> None:
    assert accepted_limit(1, Quirks(least_max_tokens=16)) == 16
    assert accepted_limit(17, Quirks(least_max_tokens=16)) == 17
    assert accepted_limit(None, Quirks(least_max_tokens=16)) is None


def test_refused_fields_are_left_out() -> None:
    body = {"model": "m", "user": "u"}
    leave_out_refused(body, Quirks(refused_fields=("user", "store")))
    assert body == {"model": "m"}
