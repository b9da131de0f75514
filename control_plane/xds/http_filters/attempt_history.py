"""Upstream http_filters of chains of models: they carry the attempt history from one attempt to the next.

Dynamic metadata does not cross to the attempts listener, and a retry does not see the previous answer. So each
attempt sends the request's metadata as a header, and a header of its answer becomes metadata. Only the Lua filter
can do the latter upstream (Envoy 1.40). It also removes the client's query, which Envoy would keep when a route rewrites the
path: the attempt stage decides whether a provider receives it.
"""

from typing import Final

from control_plane.xds import api
from protos.contract.headers import ATTEMPT_TIMES_HEADER, ENTRY_HEADER, HISTORY_HEADER, METADATA_HEADER, MODEL_HEADER
from protos.contract.metadata import METADATA_ENTRY, METADATA_HISTORY, METADATA_MODEL, METADATA_NAMESPACE

FILTER_NAME: Final = "plano.attempt_history"

_TO_METADATA: Final = {HISTORY_HEADER: METADATA_HISTORY, MODEL_HEADER: METADATA_MODEL, ENTRY_HEADER: METADATA_ENTRY}

_SCRIPT: Final = f"""\
local keys = {{{", ".join(f'["{header}"] = "{key}"' for header, key in _TO_METADATA.items())}}}
function envoy_on_request(handle)
  local headers = handle:headers()
  local path = headers:get(":path")
  local query = string.find(path, "?", 1, true)
  if query then
    headers:replace(":path", string.sub(path, 1, query - 1))
  end
end
function envoy_on_response(handle)
  local headers = handle:headers()
  for header, key in pairs(keys) do
    local value = headers:get(header)
    if value then
      handle:streamInfo():dynamicMetadata():set("{METADATA_NAMESPACE}", key, value)
      headers:remove(header)
    end
  end
end
"""

_REQUEST: Final = {
    METADATA_HEADER: f"%DYNAMIC_METADATA({METADATA_NAMESPACE})%",
    # Headers that an attempt sets upstream stay in the request, so the next one appends.
    ATTEMPT_TIMES_HEADER: f"%REQ({ATTEMPT_TIMES_HEADER})% %EMIT_TIME(%s.%3f)%",
}


def build_attempt_history() -> list[api.hcm.HttpFilter]:
    """Build the filters, the same for every chain."""
    mutations = api.header_mutation.Mutations(request_mutations=[_overwrite(*header) for header in _REQUEST.items()])
    request = api.header_mutation.HeaderMutation(mutations=mutations)
    response = api.lua.Lua(default_source_code=api.core.DataSource(inline_string=_SCRIPT))
    return [
        api.hcm.HttpFilter(name=f"{FILTER_NAME}.request", typed_config=api.pack(request)),
        api.hcm.HttpFilter(name=FILTER_NAME, typed_config=api.pack(response)),
    ]


def _overwrite(header: str, value: str) -> api.mutation.HeaderMutation:
    action = api.core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD
    return api.mutation.HeaderMutation(
        append=api.core.HeaderValueOption(header=api.core.HeaderValue(key=header, value=value), append_action=action)
    )
