"""Common parts of the messages of all stages: headers and dynamic metadata.

Envoy API: envoy/service/ext_proc/v3/external_processor.proto
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import orjson
from google.protobuf.message import DecodeError

from protos import ext_proc_pb2 as pb
from protos.contract.metadata import METADATA_NAMESPACE

_PATH: Final = re.compile(rb"\x0a\x0crequest\.path\x12.{1,3}?\x1a([\x00-\x7f]|[\x80-\xff][\x00-\x7f])(/[!-~]*)", re.DOTALL)
"""The entry of a Struct, as protobuf writes it."""
_OVERWRITE: Final = pb.HeaderValueOption.HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD


class UnexpectedMessage(Exception):
    """A message of a phase that the http_filter does not request: Envoy's configuration and this code disagree."""


class UnreadableMessage(UnexpectedMessage):
    """The message is invalid. Envoy puts bytes of a client's headers where protobuf requires UTF-8."""


def decode_request(message: bytes) -> pb.ProcessingRequest:
    """Return the message of these bytes.

    Raises:
        UnreadableMessage: they are invalid.
    """
    try:
        return pb.ProcessingRequest.FromString(message)
    except DecodeError:
        raise UnreadableMessage("not a ProcessingRequest") from None


def find_path(message: bytes) -> str:
    """Return the request's path from the attributes of a message that cannot be read; empty if it is not there."""
    found = _PATH.search(message)
    if found is None:
        return ""
    low, *high = found[1]
    return found[2][: (low & 0x7F) + sum(high) * 128].decode()


def decode_headers(headers: Iterable[pb.HeaderValue]) -> dict[str, str]:
    """Return headers by name; values of a repeated one joined."""
    # Envoy fills raw_value. Bytes that are not UTF-8 become surrogates, and are restored when a filter is called.
    decoded: dict[str, str] = {}
    for header in headers:
        key = header.key
        value = header.raw_value.decode(errors="surrogateescape") or header.value
        if key in decoded:
            value = f"{decoded[key]}{'; ' if key == 'cookie' else ', '}{value}"
        decoded[key] = value
    return decoded


def set_headers(mutation: pb.HeaderMutation, headers: Mapping[str, str], removed: tuple[str, ...]) -> None:
    """Overwrite or add headers, and remove others."""
    add = mutation.set_headers.add
    for key, value in headers.items():
        option = add(append_action=_OVERWRITE)
        option.header.key = key.lower()
        option.header.raw_value = value.encode(errors="surrogateescape")
    mutation.remove_headers.extend(removed)


def set_metadata(response: pb.ProcessingResponse, metadata: Mapping[str, str]) -> None:
    """Set dynamic metadata of the request."""
    if not metadata:
        return
    fields = response.dynamic_metadata.fields[METADATA_NAMESPACE].struct_value.fields
    for key, value in metadata.items():
        fields[key].string_value = value


def read_metadata(text: str) -> dict[str, str]:
    """Return the texts of the request's dynamic metadata, which Envoy writes as JSON."""
    try:
        metadata = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return {key: value for key, value in metadata.items() if isinstance(value, str)} if isinstance(metadata, dict) else {}
