"""Removes request headers that only the gateway may set, and most of those that control Envoy, before other filters run.

Four `x-envoy-*` headers stay, for retries and timeouts of trusted clients; see client_bounds.py. Any other can
grow Envoy's memory (`x-envoy-upstream-alt-stat-name`), repeat paid calls (`x-envoy-retriable-status-codes`) or forge its log
(`x-envoy-original-path`). The connection manager removes them from requests of untrusted clients.
"""

from collections.abc import Iterator
from typing import Final

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.http_filters.api_key_auth import PEER_HEADERS, SUBJECT_HEADER
from control_plane.xds.http_filters.buffer_and_header_mutation import forget_length
from control_plane.xds.http_filters.client_bounds import BOUNDED, ENVOYS
from protos.contract.headers import CALLER_HEADER, INTERNAL_HEADERS, LENGTH_HEADER

_OVERWRITE: Final = api.core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD
_ALLOWED: Final = (*BOUNDED, "retry-on")
_ASIDE: Final = "x-plano-client-"
"""Prefix of temporary names for the kept values, while all other `x-envoy-*` headers are removed."""


def build_early_mutations(listener: ir.Listener) -> api.core.TypedExtensionConfig:
    """Build the mutations of a listener that clients connect to."""
    inside = (*INTERNAL_HEADERS, CALLER_HEADER, SUBJECT_HEADER, *PEER_HEADERS)
    mutations = [api.mutation.HeaderMutation(remove=header) for header in inside]
    if listener.credential is ir.Credential.CERTIFICATE:
        mutations += [_set(name, value) for name, value in PEER_HEADERS.items()]
    mutations += [*_only_what_clients_may_say(), _plain_answers()]
    if listener.native_path is not None:
        mutations.append(_set(LENGTH_HEADER, "%REQ(content-length)%%REQ(content-encoding)%"))
    return build_early_mutation([*mutations, *([] if listener.shows_headers else [forget_length()])])


def build_early_mutation(mutations: list[api.mutation.HeaderMutation]) -> api.core.TypedExtensionConfig:
    """Build the extension that makes some mutations."""
    return api.extension(
        "envoy.http.early_header_mutation.header_mutation", api.early_mutation.HeaderMutation(mutations=mutations)
    )


def _only_what_clients_may_say() -> Iterator[api.mutation.HeaderMutation]:
    yield _remove_all(_ASIDE)
    yield from (_copy(f"{ENVOYS}{name}", f"{_ASIDE}{name}") for name in _ALLOWED)
    yield _remove_all(ENVOYS)
    yield from (_copy(f"{_ASIDE}{name}", f"{ENVOYS}{name}") for name in _ALLOWED)
    yield _remove_all(_ASIDE)


def _copy(source: str, target: str) -> api.mutation.HeaderMutation:
    """Copy a header, if there is one."""
    return _set(target, f"%REQ({source})%")


def _set(name: str, value: str) -> api.mutation.HeaderMutation:
    header = api.core.HeaderValue(key=name, value=value)
    return api.mutation.HeaderMutation(append=api.core.HeaderValueOption(header=header, append_action=_OVERWRITE))


def _remove_all(prefix: str) -> api.mutation.HeaderMutation:
    matcher = api.matcher.StringMatcher(prefix=prefix)
    return api.mutation.HeaderMutation(remove_on_match=api.mutation.HeaderMutationRemoveOnMatch(key_matcher=matcher))


def _plain_answers() -> api.mutation.HeaderMutation:
    """Request uncompressed answers: Envoy cannot read usage in compressed ones."""
    value = api.core.HeaderValue(key="accept-encoding", value="identity")
    overwrite = api.core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS
    return api.mutation.HeaderMutation(append=api.core.HeaderValueOption(header=value, append_action=overwrite))
