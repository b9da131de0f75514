"""What ext_proc does for one translated request, gRPC apart: decide reads the body, the attempt stage makes the upstream's."""

import asyncio
from time import perf_counter
from typing import Any, Final

import orjson

from ext_proc.apis.api import Api
from ext_proc.apis.registry import PATHS
from ext_proc.attempt.events import AttemptHeaders, AttemptRequest
from ext_proc.attempt.transaction import AttemptTransaction
from ext_proc.codec.json_body import JsonObject
from ext_proc.decide.request import Services
from ext_proc.decide.transaction import Transaction
from ext_proc.events import RequestBody, RequestHeaders
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.plan.plan import Plan, compile_plan
from ext_proc.ports import EgressResponse
from ext_proc.wire.attempt import encode_attempt
from ext_proc.wire.decide import encode
from protos import filter_config_pb2 as pb
from protos.contract.metadata import METADATA_API, METADATA_HAS_MODEL, METADATA_ROUTE

MODEL: Final = "provider/m"
_TRACEPARENT: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def seconds_of_request(client: str, upstream: str, request: JsonObject, rounds: int) -> float:
    """Measure one request of a client's API at an upstream of another: the best of the rounds."""
    plan = compile_plan(_config(client, upstream))
    body = orjson.dumps({**request, "model": MODEL})
    return min(asyncio.run(_measure(plan, client, body, rounds)))


class _NoEgress:
    async def post(self, *_args: Any, **_more: Any) -> EgressResponse:
        raise AssertionError("nobody is asked")


async def _measure(plan: Plan, client: str, body: bytes, rounds: int) -> list[float]:
    head = RequestHeaders({":method": "POST", ":path": PATHS[Api(client)], "traceparent": _TRACEPARENT}, ends_stream=False)
    told = {METADATA_API: client, METADATA_ROUTE: "chain", METADATA_HAS_MODEL: "true"}
    begin = AttemptHeaders(headers={}, metadata=told)
    times = []
    for _ in range(rounds):
        started = perf_counter()
        transaction, asked = Transaction("models", Services(plan, _NoEgress(), McpSessions())), RequestBody(body, head)
        encode(asked, await transaction.handle(asked))
        attempt = AttemptTransaction(plan)
        event = AttemptRequest(begin, body)
        encode_attempt(event, attempt.handle(event))
        times.append(perf_counter() - started)
    return times


def _config(client: str, upstream: str) -> pb.FilterConfig:
    config = pb.FilterConfig(version="1", egress_url="http://127.0.0.1:9", max_request_bytes=16 << 20)
    config.listeners.add(name="models", kind=pb.Listener.Kind.MODEL)
    model = config.models.add(name=MODEL, upstream_model="m", provider="provider")
    model.targets.add(api=upstream, path="/v1/upstream")
    model.routes.add(api=client, route="chain", by_attempt=True).members.add(model=MODEL, api=upstream)
    return config
