"""The downstream request or its answer, for filters, and the headers that each filter receives."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from protos.contract.headers import CREDENTIAL_HEADERS, REQUEST_ID_HEADER, TRACEPARENT_HEADER

_PLAIN_HEADERS: Final = frozenset(
    {REQUEST_ID_HEADER, TRACEPARENT_HEADER, "tracestate", "baggage", "accept-language", "user-agent"},
)
"""Headers without an `x-` prefix that filters receive: user agent, language, trace context."""

_INTERNAL_PREFIXES: Final = ("x-plano-", "x-arch-", "x-envoy-")
"""Headers that control the gateway: on the egress listener they would affect the filter's call."""

_SECRET_WORDS: Final = frozenset(
    {
        "auth",
        "authorization",
        "cert",
        "cookie",
        "credential",
        "credentials",
        "jwt",
        "key",
        "password",
        "secret",
        "signature",
        "token",
    },
)
"""An `x-` header with one of these words in its name (`x-goog-api-key`, `x-access-token`) counts as a credential."""

_SAFE_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilteredRequest:
    """A downstream request, or its answer or a part of it, on its way through a chain."""

    path: str
    """The client's API path without its query: `/v1/chat/completions`."""
    headers: Mapping[str, str]
    """The downstream request's headers, names in lower case; filters receive a safe subset."""
    body: bytes
    """A JSON object, already checked: the request, a whole answer, or an event of a stream."""
    may_be_answered: bool = True
    """Whether it is a request, which a filter may answer."""
    is_event: bool = False
    """Whether the body is an event of a stream."""


def forwarded_headers(headers: Mapping[str, str], *, passthrough_auth: bool) -> dict[str, str]:
    """Return the downstream headers that a filter receives."""
    return {
        name: value
        for name, value in headers.items()
        if ((passthrough_auth and _is_credential(name)) or _is_harmless(name)) and _SAFE_VALUE.fullmatch(value)
    }


def _is_harmless(name: str) -> bool:
    if name in _PLAIN_HEADERS:
        return True
    return name.startswith("x-") and not name.startswith(_INTERNAL_PREFIXES) and not _is_credential(name)


def _is_credential(name: str) -> bool:
    if name in CREDENTIAL_HEADERS:
        return name != "proxy-authorization"
    return name.startswith("x-") and not _SECRET_WORDS.isdisjoint(name.split("-"))
