"""What is tried with every official client at every upstream API: data, so that docs/translation.md can tell it."""

from dataclasses import replace
from typing import Final

from tests.kit.llm_provider import HELLO

CLIENTS: Final = {
    "chat_completions": "`openai`, chat; `openai-agents`",
    "responses": "`openai`, responses; `openai-agents`",
    "messages": "`anthropic`",
}
"""Client API -> the packages that speak it."""

UPSTREAMS: Final = {
    "chat_completions": "gemini/gemini-3-pro",
    "messages": "anthropic/claude-sonnet-4-5",
    "responses": "openai/gpt-5",
    "converse": "amazon_bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
}
"""Upstream API -> the model that is spoken to in it alone."""

CALLS: Final = [("get_weather", {"city": "Paris"}), ("get_time", {"city": "Oslo"})]

SAYS: Final = {
    "text": HELLO,
    "parallel calls": replace(HELLO, calls=CALLS, cut=5, finish="tool_calls"),
    "calls alone": replace(HELLO, texts=[], calls=CALLS, finish="tool_calls"),
    "reasoning": replace(HELLO, thoughts=["Is it ", "wet?"], signature="c2ln", usage=(7, 0, 0, 3, 9)),
    "filtered": replace(HELLO, finish="content_filter"),
    "cut short": replace(HELLO, finish="length"),
    "cached": replace(HELLO, usage=(7, 90, 0, 3, 0)),
}
"""What a provider says."""

STATUSES: Final = (400, 401, 403, 404, 413, 422, 429, 500, 529)
"""How a provider fails."""
