"""Moves features of the header `anthropic-beta` to the body, where Bedrock expects them.

Bedrock rejects a request with a name that the model does not know ("invalid beta flag"), and Claude Code sends many for
Anthropic's own service. So only names are sent that AWS documents for the model, and that are not its default:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
"""

import re
from collections.abc import Iterable
from typing import Final

HEADER: Final = "anthropic-beta"

_Version = tuple[int, int]
_CLAUDE: Final = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?!\d)")
_TAKEN: Final[dict[str, tuple[str, _Version, _Version]]] = {
    "interleaved-thinking-2025-05-14": ("claude", (4, 0), (4, 5)),
    "context-1m-2025-08-07": ("sonnet", (4, 0), (4, 5)),
    "token-efficient-tools-2025-02-19": ("claude", (3, 7), (3, 7)),
    "output-128k-2025-02-19": ("claude", (3, 7), (3, 7)),
}
"""Name -> a part of the ids of models that accept it, and the first and the last version that need it."""


def names_in(header: str) -> tuple[str, ...]:
    """Return the names in a header."""
    return tuple(filter(None, (name.strip() for name in header.split(","))))


def betas_for(model: str, asked: Iterable[str]) -> list[str]:
    """Return the features to request from a model of Bedrock."""
    version = _version_of(model)
    if version is None:
        return []
    return [name for name in asked if name in _TAKEN and _takes(model, version, *_TAKEN[name])]


def _takes(model: str, version: _Version, word: str, first: _Version, last: _Version) -> bool:
    return word in model and first <= version <= last


def _version_of(model: str) -> tuple[int, int] | None:
    """Return the version in the name of a Claude model; None if it has none."""
    found = _CLAUDE.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else None
