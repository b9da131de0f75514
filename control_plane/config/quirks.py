"""Known quirks of models and APIs, independent of the host; see `protos.contract.quirks`.

Rules of a provider (`control_plane.config.providers`) override these, and `quirks:` of an entry override both. Each states when
and where it was seen last: limits change, and docs/translation.md shows them all.
"""

from typing import Final

from protos.contract.quirks import Rule

_OPENAI: Final = ("chat_completions", "responses")
_CLAUDE: Final = ("messages", "converse")
_NAME: Final = "(?:^|/)"
"""Matches the beginning of a model's name, also after a maker's name, as resellers write it."""
_CLAUDE_NAME: Final = "claude-(?:[a-z]+-)?"
_LOW_TO_HIGH: Final = ("low", "medium", "high")
_NONE_TO_XHIGH: Final = ("none", "low", "medium", "high", "xhigh")

_OPENAI_REASONING: Final = "https://developers.openai.com/api/docs/guides/reasoning"
_OPENAI_PROBED: Final = "every effort tried at every model: https://github.com/enricoros/big-AGI/issues/1159"
_CLAUDE_EFFORT: Final = "https://platform.claude.com/docs/en/build-with-claude/effort"
_CLAUDE_THINKING: Final = "https://platform.claude.com/docs/en/build-with-claude/extended-thinking"

API_RULES: Final = (
    Rule(
        apis=("messages",),
        quirks={
            "call_ids": "[a-zA-Z0-9_-]+",
            "tool_name_length": 128,
            "schemas": "closed",
            "efforts": (*_LOW_TO_HIGH, "xhigh", "max"),
        },
        since="2026-11",
        source="https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use, "
        "https://platform.claude.com/docs/en/build-with-claude/structured-outputs",
    ),
    Rule(
        apis=("converse",),
        quirks={
            "call_ids": "[a-zA-Z0-9_.:-]{1,64}",
            "schemas": "closed",
            "efforts": (*_LOW_TO_HIGH, "xhigh", "max"),
        },
        since="2026-11",
        source="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html",
    ),
)
"""Quirks of an API at all hosts."""

MODEL_RULES: Final = (
    Rule(
        apis=_OPENAI,
        models=f"{_NAME}(?:gpt-3|gpt-4|chatgpt-4o|gpt-5-chat|llama|meta-llama|mixtral|mistral-|ministral|codestral|devstral|pixtral"
        "|gemma|command-|deepseek-chat|moonshot-|kimi-for-coding$)",
        quirks={"efforts": ()},
        since="2026-11",
        source="the providers' lists of models: these do not reason",
    ),
    Rule(
        apis=_OPENAI,
        models=f"{_NAME}o[134](?:-|$)",
        quirks={"efforts": _LOW_TO_HIGH, "takes_sampling": False},
        since="2026-07",
        source=_OPENAI_PROBED,
    ),
    Rule(
        apis=_OPENAI,
        models=f"{_NAME}gpt-[5-9](?!.*chat)",
        quirks={"takes_sampling": False},
        since="2026-11",
        source=_OPENAI_REASONING,
    ),
    Rule(
        apis=_OPENAI,
        models=f"{_NAME}gpt-5(?![.]|-chat)",
        quirks={"efforts": ("minimal", *_LOW_TO_HIGH)},
        since="2026-07",
        source=_OPENAI_PROBED,
    ),
    Rule(apis=_OPENAI, models=f"{_NAME}gpt-5-codex", quirks={"efforts": _LOW_TO_HIGH}, since="2026-07", source=_OPENAI_PROBED),
    Rule(apis=_OPENAI, models=f"{_NAME}gpt-5-pro", quirks={"efforts": ("high",)}, since="2026-07", source=_OPENAI_PROBED),
    Rule(
        apis=_OPENAI,
        models=f"{_NAME}gpt-5[.]1(?!.*chat)",
        quirks={"efforts": ("none", *_LOW_TO_HIGH)},
        since="2026-07",
        source="error of the API: https://github.com/livekit/agents/pull/3966",
    ),
    Rule(
        apis=_OPENAI,
        models=f"{_NAME}gpt-5[.](?:1-codex-max|[2-9](?!.*chat))",
        quirks={"efforts": _NONE_TO_XHIGH},
        since="2026-08",
        source="error of the API: https://github.com/mnfst/modelparams.dev/pull/236",
    ),
    Rule(
        apis=_OPENAI,
        models=f"{_NAME}gpt-5[.][2-9](?:[.]\\d+)?-pro",
        quirks={"efforts": ("medium", "high", "xhigh")},
        since="2026-07",
        source=_OPENAI_PROBED,
    ),
    Rule(
        apis=("responses",),
        models=f"{_NAME}gpt-5[.][6-9]",
        quirks={"efforts": (*_NONE_TO_XHIGH, "max")},
        since="2026-07",
        source=_OPENAI_PROBED,
    ),
    Rule(
        apis=_OPENAI,
        models=f"{_NAME}gpt-[6-9]",
        quirks={"efforts": (*_LOW_TO_HIGH, "xhigh", "max")},
        since="2026-09",
        source="https://github.com/QwenLM/qwen-code/pull/11295: `none` and `minimal` are refused",
    ),
    Rule(
        apis=_OPENAI,
        models=f"{_NAME}kimi-k3",
        quirks={"efforts": ("low", "high", "max"), "takes_sampling": False},
        since="2026-11",
        source="https://platform.moonshot.ai/docs",
    ),
    Rule(
        apis=_OPENAI,
        models=f"{_NAME}grok-(?!3-mini|4[.]3|4[.][4-9]|[5-9]|latest)",
        quirks={"efforts": ()},
        since="2026-11",
        source="https://docs.x.ai/developers/model-capabilities/text/reasoning: by the name of the model, or not at all",
    ),
    Rule(
        apis=_OPENAI,
        models=f"{_NAME}grok-3-mini",
        quirks={"efforts": ("low", "high")},
        since="2026-11",
        source="https://docs.x.ai/developers/model-capabilities/text/reasoning",
    ),
    Rule(
        apis=_OPENAI,
        models=f"{_NAME}grok-4[.]3",
        quirks={"efforts": ("none", *_LOW_TO_HIGH)},
        since="2026-05",
        source="https://github.com/vercel/ai, release notes of @ai-sdk/xai 4.0",
    ),
    Rule(
        apis=("chat_completions",),
        models="gemini-",
        quirks={"call_signatures": "kept"},
        since="2026-11",
        source="https://ai.google.dev/gemini-api/docs/thought-signatures",
    ),
    Rule(
        apis=("chat_completions",),
        models="gemini-(?:[3-9]|flash-latest|pro-latest)",
        quirks={"call_signatures": "required"},
        since="2026-11",
        source="https://ai.google.dev/gemini-api/docs/thought-signatures",
    ),
    Rule(
        apis=_CLAUDE,
        models="claude-instant|claude-(?:[a-z]+-)?[12](?!\\d)|claude-(?:[a-z]+-)?3(?![-.][57])",
        quirks={"thinking": "none", "default_max_tokens": 4096},
        since="2026-11",
        source=_CLAUDE_THINKING,
    ),
    Rule(
        apis=_CLAUDE,
        models=f"{_CLAUDE_NAME}3[-.]5(?!\\d)",
        quirks={"thinking": "none", "default_max_tokens": 8192},
        since="2026-11",
        source=_CLAUDE_THINKING,
    ),
    Rule(
        apis=_CLAUDE,
        models=f"{_CLAUDE_NAME}(?:3[-.]7(?!\\d)|4(?![-.]\\d{{1,2}}(?!\\d))|4[-.][0-5](?!\\d))",
        quirks={"thinking": "budget"},
        since="2026-11",
        source=_CLAUDE_THINKING,
    ),
    Rule(
        apis=_CLAUDE,
        models="claude",
        quirks={"efforts": (*_LOW_TO_HIGH, "max")},
        since="2026-11",
        source=_CLAUDE_EFFORT,
    ),
    Rule(
        apis=_CLAUDE,
        models=f"{_CLAUDE_NAME}(?:4[-.](?:[7-9]|[1-9]\\d)(?!\\d)|(?:[5-9]|[1-9]\\d)(?!\\d))",
        quirks={"efforts": (*_LOW_TO_HIGH, "xhigh", "max"), "takes_sampling": False, "omits_thinking": True},
        since="2026-11",
        source=f"{_CLAUDE_EFFORT}, {_CLAUDE_THINKING}",
    ),
)
"""Quirks of models at all hosts; later rules have precedence."""
