"""Failures in tool results: patterns of error messages, the most specific families first.

Results may be long and a failing regular expression is slow, so each has hints, one of which every match contains.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final


@dataclass(frozen=True, slots=True)
class Failing:
    """A failure in a result."""

    type: str
    confidence: float
    matched: str
    """The matching part of the result."""


@dataclass(frozen=True, slots=True)
class _Family:
    type: str
    confidence: float
    patterns: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]


def _family(type_: str, confidence: float, patterns: Mapping[str, str]) -> _Family:
    """Build a family: `patterns` by their hints, in lower case; for an empty pattern the hints suffice."""
    compiled = ((tuple(hints.split("|")), re.compile(pattern or hints)) for hints, pattern in patterns.items())
    return _Family(type_, confidence, tuple(compiled))


_FAILURES: Final = (
    _family(
        "execution.failure.invalid_args",
        0.9,
        {
            "invalid ": r"invalid (?:argument|parameter|input|value|type|request body)s?\b",
            "missing ": r"missing (?:\d+ )?(?:(?:required|positional|mandatory) )*(?:argument|parameter|field|property)",
            " required": r"\b(?:argument|parameter|field|property) ['\"`]?[\w.]*['\"`]? ?(?:is|was) required",
            "unexpected ": r"unexpected (?:keyword )?(?:argument|parameter|field|property)",
            "unknown ": r"unknown (?:argument|parameter|field|property)",
            "validation ": r"validation (?:error|failed)",
            "expected ": r"expected (?:an? )?(?:string|integer|number|boolean|array|object|list|dict)\b.{0,40}\b(?:got|but)\b",
            "typeerror:": "",
        },
    ),
    _family(
        "execution.failure.tool_not_found",
        0.95,
        {
            "unknown ": r"unknown (?:tool|function|method|command)\b",
            "unsupported ": r"unsupported (?:tool|function|method|command)\b",
            "no such ": r"no such (?:tool|function|method|command)\b",
            "not found": r"\b(?:tool|function|method|command) ?['\"`]?[\w.:-]*['\"`]? ?(?:was |is )?not found",
            "not available": r"\b(?:tool|function|method) ?['\"`]?[\w.:-]*['\"`]? ?is not available",
            "t exist": r"\b(?:tool|function|method) ?['\"`]?[\w.:-]*['\"`]? ?(?:does not|doesn't) exist",
            "no tool ": r"no tool (?:named|called|with)",
            "no function ": r"no function (?:named|called|with)",
        },
    ),
    _family(
        "execution.failure.auth_misuse",
        0.8,
        {
            "unauthorized": r"\bunauthorized\b",
            "unauthorised": r"\bunauthorised\b",
            "authentication ": r"authentication (?:failed|required|error)",
            "authorization ": r"authorization (?:failed|required|error)",
            "not auth": r"not (?:authenticated|authorized|authorised)",
            "denied": r"(?:permission|access) (?:is |was )?denied",
            "forbidden": r"\bforbidden\b",
            "invalid ": r"invalid (?:api[ _-]?key|(?:\w+ )?token|credentials?)\b",
            "expired": r"(?:token|key|credentials?) (?:has |is )?expired|expired (?:\w+ )?(?:token|key|credentials?)",
            "401|403": r"(?:http|status|code|error)\W{0,10}40[13]\b",
        },
    ),
    _family(
        "execution.failure.state_error",
        0.85,
        {
            "invalid state|illegal state|inconsistent state|wrong state": "",
            "already ": r"\balready (?:exists|closed|started|running|completed|deleted|in use|locked|cancelled|canceled)",
            "not initiali": r"not initiali[sz]ed",
            "not connected": "",
            "not ready": "",
            "session ": r"session (?:has |is |was )?(?:expired|closed|not found)",
            "409": r"(?:http|status|code|error)\W{0,10}409\b",
        },
    ),
    _family(
        "execution.failure.bad_query",
        0.8,
        {
            "syntax error": r"syntax error (?:at|near|in)\b|(?:sql|query) syntax error",
            "query error|query failed": "",
            "invalid query|malformed query|bad query|parse query|parse the query": "",
            "sql error": "",
            "invalid ": r"invalid (?:sql|regex|regular expression|filter|search|expression)\b",
            "no such ": r"no such (?:table|column|index|collection)\b",
            "t exist": r"(?:table|column|relation|index) ?['\"`]?[\w.]+['\"`]? ?(?:does not|doesn't) exist",
        },
    ),
    _family(
        "execution.failure.bad_query",
        0.6,
        {
            "no results": r"no results(?: were)? (?:found|returned)",
            "no match": r"no match(?:es)?(?: were| was)? found",
            "no records": r"no records(?: were)? (?:found|returned)",
            "no rows": r"no rows(?: were)? (?:found|returned)",
            "no documents": r"no documents(?: were)? (?:found|returned)",
        },
    ),
)

_EXHAUSTIONS: Final = (
    _family(
        "environment.exhaustion.rate_limit",
        0.95,
        {
            "rate limit|rate-limit|rate_limit|ratelimit": "",
            "too many requests": "",
            "429": r"(?:http|status|code|error)\W{0,10}429\b",
            "quota": r"quota (?:exceeded|exhausted)|exceeded .{0,30}quota",
            "throttl": r"\bthrottl(?:ed|ing)\b",
        },
    ),
    _family(
        "environment.exhaustion.api_error",
        0.9,
        {
            "internal server error": "",
            "bad gateway": "",
            "unavailable": r"service (?:is )?(?:temporarily )?unavailable",
            "gateway time": r"gateway time-?out",
            "upstream error|upstream server error": "",
            "overloaded": r"\boverloaded(?:_error)?\b",
            "500|502|503|504": r"(?:http|status|code|error)\W{0,10}50[0-4]\b",
        },
    ),
    _family(
        "environment.exhaustion.timeout",
        0.9,
        {
            "timed": r"\btimed[ -]?out\b",
            "timeout ": r"\btimeout (?:error|exceeded|after|waiting|expired|reached)",
            " timeout": r"\b(?:connection|read|request|operation) timeout\b",
            "timeouterror": "",
            "deadline exceeded": "",
        },
    ),
    _family(
        "environment.exhaustion.network",
        0.9,
        {
            "connection ": r"connection (?:was )?(?:refused|reset|aborted|closed|error|failed|lost)",
            "econn": r"\beconn(?:refused|reset|aborted)\b",
            "enotfound": "",
            "ehostunreach": "",
            "unreachable": r"(?:network|host|server) (?:is )?unreachable",
            "network error|network failure": "",
            "dns ": r"dns (?:resolution|lookup) (?:failed|failure|error)|dns error",
            "could not resolve host": "",
            "name or service not known": "",
            "handshake": r"(?:ssl|tls) handshake (?:failed|failure|error)",
            "certificate ": r"certificate (?:verification |verify )?(?:failed|failure|error)",
            "broken pipe": "",
            "socket hang up": "",
        },
    ),
    _family(
        "environment.exhaustion.malformed_response",
        0.85,
        {
            "invalid ": r"invalid (?:json|xml|html|response|payload)\b",
            "malformed ": r"malformed (?:json|xml|html|response|payload)\b",
            "jsondecodeerror": "",
            "json parse error": "",
            " parse ": r"(?:could not|cannot|failed to|unable to) parse (?:the )?(?:json|xml|response)",
            " decode ": r"(?:could not|cannot|failed to|unable to) decode (?:the )?(?:json|xml|response)",
            "unexpected ": r"unexpected (?:end of (?:json|input|file)|token .{1,20} in json)",
            "empty response|truncated response|incomplete response": "",
        },
    ),
    _family(
        "environment.exhaustion.context_overflow",
        0.9,
        {
            "context_length_exceeded": "",
            "context length|context window|context size|context limit": r"max(?:imum)? context \w+|context \w+.{0,40}exceed",
            "token limit": r"exceed(?:s|ed)? (?:the )?(?:maximum |max )?token limit",
            " is too long": r"(?:prompt|input|message|conversation) is too long",
            "too many tokens": "",
        },
    ),
)


@lru_cache(maxsize=512)
def read_result(text: str) -> tuple[Failing, ...]:
    """Find failures of the agent and of the environment in a result, at most one of each.

    Conversations are sent again with each request, so results are cached.
    """
    lower = text.lower()
    return tuple(found for families in (_FAILURES, _EXHAUSTIONS) if (found := _first(families, lower)))


def _first(families: tuple[_Family, ...], text: str) -> Failing | None:
    for family in families:
        for hints, pattern in family.patterns:
            if any(hint in text for hint in hints) and (match := pattern.search(text)):
                return Failing(family.type, family.confidence, match.group()[:80])
    return None
