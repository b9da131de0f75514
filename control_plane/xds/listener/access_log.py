"""The access log: one JSON line per request, without query, body or credentials."""

from collections.abc import Collection
from typing import Final

from control_plane.xds import api
from control_plane.xds.http_filters.token_usage import TOKENS
from control_plane.xds.prices import build_cost
from protos import filter_config_pb2 as pb
from protos.contract.headers import CALLER_HEADER, REQUEST_ID_HEADER, TRACEPARENT_HEADER
from protos.contract.metadata import METADATA_AGENT, METADATA_DECISION, METADATA_MODEL, METADATA_NAMESPACE

_STDOUT: Final = "/dev/stdout"
_MOST_BYTES: Final = 256
"""Maximum length of client values: a request id may have 80 KB."""


def _decided(key: str) -> str:
    return f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{key})%"


def _fields(listener: str, prices: Collection[pb.ModelPrice]) -> dict[str, str]:
    return {
        "time": "%START_TIME%",
        "listener": listener,
        "request_id": f"%REQ({REQUEST_ID_HEADER}):{_MOST_BYTES}%",
        "traceparent": f"%REQ({TRACEPARENT_HEADER}):{_MOST_BYTES}%",
        "method": "%REQ(:METHOD):16%",
        "path": f"%PATH(NQ:ORIG_OR_PATH):{_MOST_BYTES}%",
        "protocol": "%PROTOCOL%",
        "status": "%RESPONSE_CODE%",
        "status_details": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "route": "%ROUTE_NAME%",
        "caller": f"%REQ({CALLER_HEADER})%",
        "agent": _decided(METADATA_AGENT),
        "model": _decided(METADATA_MODEL),
        "decision": _decided(METADATA_DECISION),
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "upstream_cluster": "%UPSTREAM_CLUSTER%",
        "upstream_host": "%UPSTREAM_HOST%",
        "duration_ms": "%DURATION%",
        "first_byte_ms": "%RESPONSE_DURATION%",
        "input_tokens": TOKENS["input"],
        "cached_input_tokens": TOKENS["cached_input"],
        "output_tokens": TOKENS["output"],
        "cost_usd": build_cost(prices),
        "bytes_received": "%BYTES_RECEIVED%",
        "bytes_sent": "%BYTES_SENT%",
        "downstream": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    }


def build_access_log(listener: str, path: str, prices: Collection[pb.ModelPrice] = ()) -> list[api.accesslog.AccessLog]:
    """Build the log of a listener's requests, except `/healthz`, to a file or to standard output."""
    log_format = api.core.SubstitutionFormatString(
        json_format=api.protobuf.Struct.from_dict(_fields(listener, prices)),
    )
    return [
        api.accesslog.AccessLog(
            name="plano.access_log",
            filter=api.accesslog.AccessLogFilter(not_health_check_filter=api.accesslog.NotHealthCheckFilter()),
            typed_config=_sink(path, log_format),
        )
    ]


def _sink(path: str, log_format: api.core.SubstitutionFormatString) -> api.protobuf.Any:
    if path == _STDOUT:
        # Not as a file: a container's stdout may belong to another user, and then cannot be opened by path.
        return api.pack(api.stream_log.StdoutAccessLog(log_format=log_format))
    return api.pack(api.file_log.FileAccessLog(path=path, log_format=log_format))
