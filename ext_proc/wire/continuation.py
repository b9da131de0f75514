"""HTTP messages <-> requests and response headers of answers that ext_proc builds itself."""

from collections.abc import Iterator, Mapping
from typing import Final

from ext_proc.continuation.transaction import Head, StreamRequest
from ext_proc.wire.common import read_metadata
from protos.contract.headers import ANSWER_HEADERS, ASKED_HEADERS, METADATA_HEADER
from protos.contract.stages import STAGE_METADATA

_ALIASES: Final = {name: alias for alias, name in ANSWER_HEADERS.items()}
_OURS: Final = (STAGE_METADATA, METADATA_HEADER)
_ENVOYS: Final = "x-envoy-"
"""Response headers that control Envoy: by them a provider could take the worker out of service."""


def decode_stream_request(headers: Mapping[str, str], body: bytes) -> StreamRequest:
    """Return the request of these headers, as latin-1, and this body."""
    texts = {name: value if value.isascii() else _text(value) for name, value in headers.items() if name not in _OURS}
    asked = {envoys: texts.pop(aside) for aside, envoys in ASKED_HEADERS.items() if aside in texts}
    metadata = read_metadata(_text(headers.get(METADATA_HEADER, "")))
    return StreamRequest(headers=texts | asked, metadata=metadata, body=body)


def encode_head(head: Head) -> Iterator[tuple[str | bytes, str | bytes]]:
    """Yield the response headers; those that no upstream may send under their aliases."""
    yield ":status", str(head.status)
    for name, value in head.headers.items():
        if name not in ANSWER_HEADERS and not name.startswith(_ENVOYS):
            yield _ALIASES.get(name, name).encode(), value.encode(errors="surrogateescape")


def _text(value: str) -> str:
    return value.encode("latin-1").decode(errors="surrogateescape")
