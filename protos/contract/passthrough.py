"""APIs whose requests pass to the provider that serves them as they are: where each is, and what a request may be.

https://platform.openai.com/docs/api-reference, https://docs.cohere.com/reference/rerank,
https://platform.claude.com/docs/en/api/creating-message-batches
"""

import re
from dataclasses import dataclass
from typing import Final

_ID: Final = "[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Some paths of one API."""

    api: str
    base: str
    """Below `/v1/`; at the provider this part is the API's own path, and what follows stays."""
    rest: str = ""
    """Regular expression of what follows."""
    methods: tuple[str, ...] = ("POST",)
    takes_form: bool = False
    """Whether a body may be `multipart/form-data`, and not JSON alone."""


ENDPOINTS: Final = (
    Endpoint(api="images", base="images", rest="/generations"),
    Endpoint(api="images", base="images", rest="/(?:edits|variations)", takes_form=True),
    Endpoint(api="audio", base="audio", rest="/speech"),
    Endpoint(api="audio", base="audio", rest="/(?:transcriptions|translations)", takes_form=True),
    Endpoint(api="moderations", base="moderations"),
    Endpoint(api="rerank", base="rerank"),
    Endpoint(api="files", base="files", methods=("GET", "POST"), takes_form=True),
    Endpoint(api="files", base="files", rest=f"/{_ID}", methods=("GET", "DELETE")),
    Endpoint(api="files", base="files", rest=f"/{_ID}/content", methods=("GET",)),
    Endpoint(api="batches", base="batches", methods=("GET", "POST")),
    Endpoint(api="batches", base="batches", rest=f"/{_ID}", methods=("GET",)),
    Endpoint(api="batches", base="batches", rest=f"/{_ID}/cancel"),
    Endpoint(api="message_batches", base="messages/batches", methods=("GET", "POST")),
    Endpoint(api="message_batches", base="messages/batches", rest=f"/{_ID}", methods=("GET", "DELETE")),
    Endpoint(api="message_batches", base="messages/batches", rest=f"/{_ID}/cancel"),
    Endpoint(api="message_batches", base="messages/batches", rest=f"/{_ID}/results", methods=("GET",)),
)

PASSTHROUGH: Final = frozenset(endpoint.api for endpoint in ENDPOINTS)
"""APIs that are never translated, and have no fallbacks."""

OF_ACCOUNTS: Final = frozenset({"files", "batches", "message_batches"})
"""Those that are about what an account has stored: they name no model, and what is in a batch may name any."""

_PATTERNS: Final = tuple((re.compile(f"/v1/{endpoint.base}({endpoint.rest})"), endpoint) for endpoint in ENDPOINTS)


def find_endpoint(path: str) -> tuple[Endpoint, str] | None:
    """Return what is served at a path, and what of the path follows the API's own; None if that is nothing."""
    for pattern, endpoint in _PATTERNS:
        if match := pattern.fullmatch(path):
            return endpoint, match[1]
    return None


def path_regex(*, forms_only: bool = False) -> str:
    """Return a regular expression of the paths that these APIs begin with, or of those that take forms, for Envoy.

    Slashes and `/v1` may be as they are often written, and a query may follow.
    """
    forms = (f"{endpoint.base}{endpoint.rest}" for endpoint in ENDPOINTS if endpoint.takes_form)
    paths = forms if forms_only else (f"{base}(?:/.*)?" for base in dict.fromkeys(endpoint.base for endpoint in ENDPOINTS))
    return "/*(?:v1/+)*(?:" + "|".join(paths) + r")/*(?:\?.*)?"
