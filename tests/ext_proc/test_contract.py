"""Our subset of Envoy's protos against Envoy's whole API: what one encodes, the other reads, field by field.

envoy-data-plane is generated from Envoy's own definitions, so a wrong number, type or name in ours shows here.
"""

from dataclasses import fields
from typing import Any

import betterproto2
import pytest
from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.service.discovery import v3 as discovery
from envoy_data_plane.envoy.service.ext_proc import v3 as ext_proc
from envoy_data_plane.envoy.type import v3 as envoy_type
from envoy_data_plane.google import rpc
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from protos import discovery_pb2, ext_proc_pb2

PAIRS: dict[str, tuple[Any, type[betterproto2.Message]]] = {
    **{name: (ext_proc_pb2, getattr(ext_proc, name)) for name in (
        "HttpHeaders", "HttpBody", "HttpTrailers", "StreamedBodyResponse", "BodyMutation", "CommonResponse", "HeaderMutation",
        "HeadersResponse", "BodyResponse", "TrailersResponse", "ImmediateResponse", "ProcessingRequest", "ProcessingResponse",
        "ProtocolConfiguration",
    )},
    **{name: (ext_proc_pb2, getattr(core, name)) for name in ("HeaderValue", "HeaderMap", "HeaderValueOption", "Metadata")},
    "HttpStatus": (ext_proc_pb2, envoy_type.HttpStatus),
    **{name: (discovery_pb2, getattr(discovery, name)) for name in ("DiscoveryRequest", "DiscoveryResponse")},
    "Node": (discovery_pb2, core.Node),
    "Status": (discovery_pb2, rpc.Status),
}  # fmt: skip

SCALARS: dict[int, list[Any]] = {
    FieldDescriptor.TYPE_STRING: ["text", ""],
    FieldDescriptor.TYPE_BYTES: ["AAH/", ""],
    FieldDescriptor.TYPE_BOOL: [True, False],
    FieldDescriptor.TYPE_INT32: [200, 503],
    FieldDescriptor.TYPE_ENUM: [2, 0],
}
STRUCT = {"plano": {"route": "agent/a"}}


def samples(descriptor: Descriptor) -> list[dict[str, Any]]:
    """One JSON form of a message per field, so that no member of a oneof hides another."""
    return [
        {field.name: [value] if field.is_repeated and not _is_map(field) else value}
        for field in descriptor.fields
        for value in _values(field)
    ]


def _values(field: FieldDescriptor) -> list[Any]:
    if _is_map(field):
        return [{"plano": {"a": "b", "n": {"c": [1.5, None, True]}}}]
    if field.message_type is None:
        return SCALARS[field.type][:1]
    if field.message_type.full_name == "google.protobuf.Struct":
        return [STRUCT]
    if field.message_type.full_name == "google.protobuf.Any":
        return [{"@type": "type.googleapis.com/google.protobuf.Struct", "value": STRUCT}]
    return samples(field.message_type) or [{}]


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


CASES = [
    (name, sample) for name, (module, _) in PAIRS.items() for sample in samples(module.DESCRIPTOR.message_types_by_name[name])
]


def test_every_message_of_ours_is_held_against_envoys() -> None:
    ours = {*discovery_pb2.DESCRIPTOR.message_types_by_name, *ext_proc_pb2.DESCRIPTOR.message_types_by_name}
    assert ours == set(PAIRS)


@pytest.mark.parametrize(
    ("name", "sample"), CASES, ids=lambda value: value if isinstance(value, str) else "-".join(_path(value))
)
def test_what_one_encodes_the_other_reads(name: str, sample: dict[str, Any]) -> None:
    module, envoys = PAIRS[name]
    ours: Message = ParseDict(sample, getattr(module, name)())
    theirs = envoys.parse(ours.SerializeToString())
    assert not _unknown(theirs), "Envoy does not know a field of ours"
    assert _filled(theirs) == list(sample), "Envoy reads another field than we wrote"
    assert type(ours).FromString(bytes(theirs)) == ours


def _filled(message: Any) -> list[str]:
    default = type(message)()
    return [field.name for field in fields(message) if getattr(message, field.name) != getattr(default, field.name)]


def _unknown(message: Any) -> bool:
    if message._unknown_fields:
        return True
    values = [getattr(message, field.name) for field in fields(message)]
    return any(_unknown(value) for value in values if isinstance(value, betterproto2.Message))


def _path(sample: dict[str, Any]) -> list[str]:
    [(name, value)] = sample.items()
    inner = value[0] if isinstance(value, list) else value
    return [name, *(_path(inner) if isinstance(inner, dict) and len(inner) == 1 else [])]


@pytest.mark.parametrize(
    ("module", "service", "method", "stub"),
    [
        (ext_proc_pb2, "ExternalProcessor", "Process", ext_proc.ExternalProcessorBase),
        (discovery_pb2, "AggregatedDiscoveryService", "StreamAggregatedResources", discovery.AggregatedDiscoveryServiceBase),
    ],
)
def test_services_have_envoys_names(module: Any, service: str, method: str, stub: Any) -> None:
    descriptor = module.DESCRIPTOR.services_by_name[service]
    assert f"/{descriptor.full_name}/{method}" in stub().__mapping__()
    assert [method.name for method in descriptor.methods] == [method]
