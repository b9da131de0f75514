"""Client APIs that a model of another API can serve. `ext_proc.translate.registry` does it; the control plane builds routes."""

from typing import Final

TRANSLATIONS: Final[dict[str, tuple[str, ...]]] = {
    "chat_completions": ("messages", "converse", "responses"),
    "messages": ("converse", "chat_completions", "responses"),
    "responses": ("chat_completions", "messages", "converse"),
}
"""Client API -> upstream APIs that can stand in for it, best first."""

UPSTREAM_ONLY: Final = frozenset({"converse"})
"""APIs that no client speaks."""
