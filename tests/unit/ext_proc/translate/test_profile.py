import pytest

from ext_proc.translate.profile import Profile, default_max_tokens, takes_sampling, thinking_style


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
