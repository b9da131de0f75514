"""The http_filter `plano.native_path`: sends plain model calls on to their provider, so that ext_proc never sees them.

It runs before the decide stage, finds the model of a body in a table, and names the route as that stage would. Script and
table belong to the route that calls of models have until then: a change of models is a change of routes, and no connection
drains. They are one text, because Envoy copies whatever else a script gets of its configuration for each request.
"""

import json
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Final

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.http_filters.buffer_and_header_mutation import BUFFER_FILTER
from control_plane.xds.http_filters.ext_proc import FILTER_NAME as DECIDE_FILTER
from protos.contract.apis import CLIENT_PATHS

FILTER_NAME: Final = "plano.native_path"

_APIS: Final = {path: name for name, path in CLIENT_PATHS.items()}
SCRIPT: Final = files(__package__).joinpath("native_path.lua").read_text(encoding="utf-8")
"""What follows the table, the same everywhere."""


def build_native_path() -> api.hcm.HttpFilter:
    """Build the filter, which does nothing by itself."""
    return api.hcm.HttpFilter(name=FILTER_NAME, typed_config=api.pack(api.lua.Lua(stat_prefix="native_path")))


def send_natively(path: ir.NativePath) -> dict[str, api.protobuf.Any]:
    """Build what a route says whose requests are calls of models, of those that need no decision."""
    head = (
        f"local IS_TRACED = {'true' if path.is_traced else 'false'}",
        f"local CALLERS = {_callers(path.callers)}",
        f"local MODELS = [==[\n{''.join(_lines(path.models))}]==]",
    )
    code = api.core.DataSource(inline_string="\n".join((*head, SCRIPT)))
    return {FILTER_NAME: api.pack(api.lua.LuaPerRoute(source_code=code))}


def _callers(names: Iterable[str] | None) -> str:
    if names is None:
        return "nil"
    return "{ " + ", ".join(f"[{json.dumps(name)}] = true" for name in names) + " }"


def skip_decision() -> dict[str, api.protobuf.Any]:
    """Build what a route says that needs no decision: requests that have it already meet neither ext_proc nor the buffer."""
    return {
        DECIDE_FILTER: api.pack(api.ext_proc.ExtProcPerRoute(disabled=True)),
        BUFFER_FILTER: api.pack(api.buffer.BufferPerRoute(disabled=True)),
    }


def _lines(models: Iterable[ir.NativeModel]) -> Iterator[str]:
    for model in models:
        where = (model.route, _APIS[model.path], model.upstream_path, model.upstream_model, model.entry, model.decision)
        values = (model.path, model.name, *where, *model.words)
        # What would be written differently is ext_proc's business.
        if "".join(values).isprintable() and not any("|" in value or "]==]" in value for value in values):
            yield "|".join(values) + "\n"
