"""Problems of configurations as reviewable text, and the environment that test configurations count on."""

from collections.abc import Iterable
from typing import Final

import yaml

from control_plane.errors import Problem

_KEYS: Final = ("OPENAI", "ANTHROPIC", "MISTRAL", "GROQ", "MOONSHOTAI", "CUSTOM", "POSTHOG", "AZURE", "QWEN", "GEMINI", "ANY")

TEST_ENV: Final = {f"{name}_API_KEY": f"key-of-{name.lower()}" for name in _KEYS} | {
    "AWS_BEARER_TOKEN_BEDROCK": "key-of-aws",
    "EMPTY": "",
    "WITH_NEWLINE": "value\n",
    "MODEL_PORT": "12345",
    "DB_PASS": "password-of-db",
}


def render_problems(**kinds: Iterable[Problem]) -> str:
    """Render problems as YAML, by kind."""
    shown = {kind: [_shown(problem) for problem in problems] for kind, problems in kinds.items()}
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=120)


def _shown(problem: Problem) -> dict[str, object]:
    return {"line": problem.line, "path": problem.path, "code": problem.code, "message": problem.message}
