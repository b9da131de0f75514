import pytest

from ext_proc.translate.converse.families import CLAUDE, GPT, GPT_OSS, NOVA, NOVA_2, OTHER, Family, effort_fields, family_of

ARN = "arn:aws:bedrock:us-east-1:123456789012"


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("anthropic.claude-3-haiku-20240307-v1:0", CLAUDE),
        ("us.anthropic.claude-opus-4-6-v1", CLAUDE),
        (f"{ARN}:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0", CLAUDE),
        (f"{ARN}:application-inference-profile/abc", CLAUDE),
        (f"{ARN}:provisioned-model/abc", CLAUDE),
        (f"{ARN}:default-prompt-router/anthropic.claude:1", CLAUDE),
        (f"{ARN}:default-prompt-router/meta.llama:1", CLAUDE),
        (f"{ARN}:inference-profile/us.meta.llama4-scout-17b-instruct-v1:0", OTHER),
        (f"{ARN}:imported-model/abc", OTHER),
        ("us.amazon.nova-premier-v1:0", NOVA),
        ("global.amazon.nova-2-lite-v1:0", NOVA_2),
        ("openai.gpt-oss-120b-1:0", GPT_OSS),
        ("moonshot.kimi-k2-thinking", GPT_OSS),
        ("openai.gpt-5.6", GPT),
        ("us.meta.llama4-maverick-17b-instruct-v1:0", OTHER),
        ("mistral.mistral-large-2407-v1:0", OTHER),
    ],
)
def test_a_models_name_says_its_family(model: str, family: Family) -> None:
    assert family_of(model) is family


@pytest.mark.parametrize(
    ("family", "effort", "fields"),
    [
        (GPT_OSS, "minimal", {"reasoning_effort": "low"}),
        (GPT_OSS, "xhigh", {"reasoning_effort": "high"}),
        (GPT_OSS, "none", {}),
        (GPT, "minimal", {"reasoning": {"effort": "low"}}),
        (GPT, "none", {"reasoning": {"effort": "none"}}),
        (NOVA_2, "none", {"reasoningConfig": {"type": "disabled"}}),
        (NOVA_2, "high", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}),
        (NOVA, "high", {}),
        (OTHER, "high", {}),
    ],
)
def test_each_family_is_told_in_its_own_way_how_hard_to_think(family: Family, effort: str, fields: dict[str, object]) -> None:
    assert effort_fields(family, effort, is_bounded=False) == fields


def test_nova_is_not_told_to_think_its_hardest_within_limits() -> None:
    assert effort_fields(NOVA_2, "high", is_bounded=True)["reasoningConfig"]["maxReasoningEffort"] == "medium"
