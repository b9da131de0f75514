"""How a provider differs from others that speak the same API."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """How a provider differs from others that speak the same API; what is unset is the translation's default."""

    max_tokens_field: str = ""
    """`max_completion_tokens` or `max_tokens`."""
    cache_markers: str = ""
    """`none`, `cache_control` or `prompt_cache_breakpoint`."""
    reasoning_history: str = ""
    """`none`, `reasoning_content` or `reasoning_details`."""
    joins_text: bool = False
    """Whether it takes the texts of a message as one string only."""
    resume_method: str = ""
    """How it takes up a started answer: `prefill` (Messages: it goes on after a last message of the assistant), `partial`
    (Chat Completions: that message is marked so) or `prefix` (marked so, and said again first); empty if it does not."""
