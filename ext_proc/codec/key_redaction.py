"""Redacts keys in error bodies of providers: some echo the key that they received, which is the gateway's.

Only Envoy knows the gateway's keys, so here a key is recognised by its form, or by the word before it.
"""

import re
from typing import Final

REDACTED: Final = b"[redacted]"

_SHAPED: Final = re.compile(
    rb"(?<![A-Za-z0-9])(?:"
    rb"(?:sk|pk|ak|xai|gsk|csk|tgp|fw|pplx|nvapi|hf|r8|org|proj|ABSK)[-_][A-Za-z0-9_.+/=-]{8,}"
    rb"|AIza[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_.-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{12,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]{8,}"
    rb")"
)
"""Keys of providers by their prefixes, Google's and Amazon's, and signed tokens."""

_LABELLED: Final = re.compile(
    rb"(?P<label>(?i:\bbasic|\bbearer|\b(?:access|api|secret)[-_ ]?(?:key|token)|\bauthorization|\bcredentials?)"
    rb"[\\\"':= ]{1,6}(?i:(?:provided|supplied|invalid|is|was)[\\\"':= ]{1,6})?)"
    rb"(?=[A-Za-z_.~+/=-]*[0-9])[A-Za-z0-9_.~+/=-]{12,}"
)
"""Twelve or more letters and digits after a word for a key."""


def redact_keys(body: bytes) -> bytes:
    """Return the body without text that looks like a key; unchanged bytes if there is none."""
    return _LABELLED.sub(rb"\g<label>" + REDACTED, _SHAPED.sub(REDACTED, body))
