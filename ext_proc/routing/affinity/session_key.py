"""Which session a request belongs to: the one that its client names, or the one that its beginning implies."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final
from urllib.parse import quote

from ext_proc.apis.conversation import Conversation
from ext_proc.apis.session_facts import instructions_of, tools_of
from ext_proc.routing.affinity.sessions import Affinity
from protos.contract.headers import AFFINITY_HEADER, CACHE_HEADER

_SALT: Final = b"plano-affinity-v1"
_END: Final = b"\x1f"
"""Between parts, so that `a`, `bc` is not `ab`, `c`."""
_LONGEST: Final = 256
"""A longer id is kept as its hash."""
_NAMED: Final = "named"
_HASHED: Final = "hash"
_IMPLICIT: Final = "implicit"


@dataclass(frozen=True, slots=True)
class SessionKey:
    """A session."""

    id: str
    """What the client calls it, or `implicit:` and a hash."""
    key: str
    """Under which it is kept: with its tenant."""
    is_explicit: bool
    prefix: str
    """Hash of what a provider's prompt cache would know; empty where the client wants no cache to be thought of."""


def session_key(
    affinity: Affinity,
    api: str,
    headers: Mapping[str, str],
    body: Mapping[str, object],
    conversation: Conversation,
    *,
    implies: bool,
) -> SessionKey | None:
    """Return the session of a request, None if it has none; `implies` says whether one may be implied."""
    named = headers.get(AFFINITY_HEADER, "").strip()
    is_cached = wants_cache(headers)
    if not named and not (implies and is_cached):
        return None
    tenant = headers.get(affinity.tenant_header, "") if affinity.tenant_header else ""
    begins = (tenant, instructions_of(api, body), tools_of(body))
    prefix = _hash(*begins) if is_cached else ""
    if named:
        return SessionKey(named, _key(tenant, _NAMED, named), is_explicit=True, prefix=prefix)
    first = next((turn.text for turn in conversation if turn.role == "user"), None)
    if first is None:
        return None
    implied = _hash(*begins, first)
    return SessionKey(f"{_IMPLICIT}:{implied}", _key(tenant, _IMPLICIT, implied), is_explicit=False, prefix=prefix)


def wants_cache(headers: Mapping[str, str]) -> bool:
    """Tell if the client lets prompt caches be thought of."""
    return headers.get(CACHE_HEADER, "").strip().lower() != "off"


def _key(tenant: str, kind: str, session: str) -> str:
    """Keep tenants apart, and what is named from what is implied, whatever is in the names: only the last part has colons."""
    if len(session) > _LONGEST:
        kind, session = _HASHED, _hash(session)
    return f"{quote(tenant.encode(errors='surrogatepass'), safe='')}:{kind}:{session}"


def _hash(*parts: str) -> str:
    digest = blake2b(_SALT, digest_size=8)
    for part in parts:
        digest.update(_END + part.encode(errors="surrogatepass"))
    return digest.hexdigest()
