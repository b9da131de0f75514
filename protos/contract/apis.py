"""Client APIs that are translated to other APIs: by `ext_proc.translate.registry`; the control plane builds their routes."""

from typing import Final

TRANSLATIONS: Final[dict[str, tuple[str, ...]]] = {
    "chat_completions": ("messages", "converse", "responses"),
    "messages": ("converse", "chat_completions", "responses"),
    "responses": ("chat_completions", "messages", "converse"),
}
"""Client API -> upstream APIs to which it can be translated, best first."""

UPSTREAM_ONLY: Final = frozenset({"converse"})
"""APIs without clients."""

CLIENT_PATHS: Final = {
    "chat_completions": "/v1/chat/completions",
    "completions": "/v1/completions",
    "count_tokens": "/v1/messages/count_tokens",
    "embeddings": "/v1/embeddings",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
}
"""APIs that clients post requests for models to -> their paths."""

CONVERSATIONS: Final = frozenset({"chat_completions", "messages", "responses"})
"""Those whose requests say what is wanted."""
