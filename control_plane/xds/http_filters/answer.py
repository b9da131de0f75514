"""The http_filter `plano.answer`: what passes between Envoy and ext_proc as its upstream. Off, unless a route turns it on.

What a trusted client asks of the router is put aside: ext_proc asks it of its own calls. On the way back headers get the names
that no upstream may use. See docs/adr/0007.
"""

from typing import Final

from control_plane.xds import api
from protos.contract.headers import ANSWER_HEADERS, ASKED_HEADERS

FILTER_NAME: Final = "plano.answer"
_OVERWRITE: Final = api.core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD


def build_answer() -> api.hcm.HttpFilter:
    """Build the filter, which does nothing by itself."""
    return api.hcm.HttpFilter(name=FILTER_NAME, typed_config=api.pack(api.header_mutation.HeaderMutation()))


def turn_answer_on() -> dict[str, api.protobuf.Any]:
    """Build what a route says to have ext_proc answer."""
    requests = [
        # Clients may not say it by that name.
        *(_remove(aside) for aside in ASKED_HEADERS),
        *(change for aside, name in ASKED_HEADERS.items() for change in (_set(aside, f"%REQ({name})%"), _remove(name))),
    ]
    responses = [
        change for alias, name in ANSWER_HEADERS.items() for change in (_set(name, f"%RESP({alias})%"), _remove(alias))
    ]
    mutations = api.header_mutation.Mutations(request_mutations=requests, response_mutations=responses)
    return {FILTER_NAME: api.pack(api.header_mutation.HeaderMutationPerRoute(mutations=mutations))}


def _remove(name: str) -> api.mutation.HeaderMutation:
    return api.mutation.HeaderMutation(remove=name)


def _set(name: str, value: str) -> api.mutation.HeaderMutation:
    """Set a header; without a value it stays as it is."""
    header = api.core.HeaderValue(key=name, value=value)
    return api.mutation.HeaderMutation(append=api.core.HeaderValueOption(header=header, append_action=_OVERWRITE))
