"""The key of a session: named by the client, or implied by the beginning of the conversation."""

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
"""Longer ids are hashed."""
_NAMED: Final = "named"
_HASHED: Final = "hash"
_IMPLICIT: Final = "implicit"


@dataclass(frozen=True, slots=True)
class SessionKey:
    """A session."""

    id: str
    """The client's id, or `implicit:` and a hash."""
    key: str
    """Key in the store, including the tenant."""
    is_explicit: bool
    prefix: str
    """Hash of the cacheable prefix of the prompt; empty if the client disables prompt caching."""


def session_key(
    affinity: Affinity,
    api: str,
    headers: Mapping[str, str],
    body: Mapping[str, object],
    conversation: Conversation,
    *,
    implies: bool,
) -> SessionKey | None:
    """Return the session of a request; None if it has none; `implies` tells whether one may be implied."""
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
    """Whether the client allows prompt caching."""
    return headers.get(CACHE_HEADER, "").strip().lower() != "off"


def _key(tenant: str, kind: str, session: str) -> str:
    """Build an unambiguous key of tenant, kind and name: only the last part may contain colons."""
    if len(session) > _LONGEST:
        kind, session = _HASHED, _hash(session)
    return f"{quote(tenant.encode(errors='surrogatepass'), safe='')}:{kind}:{session}"


def _hash(*parts: str) -> str:
    digest = blake2b(_SALT, digest_size=8)
    for part in parts:
        digest.update(_END + part.encode(errors="surrogatepass"))
    return digest.hexdigest()
