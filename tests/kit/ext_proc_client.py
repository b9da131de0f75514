"""Speaks to an ext_proc worker as Envoy does."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio

from protos import ext_proc_pb2 as pb
from protos import ext_proc_pb2_grpc
from protos.contract.stages import ATTRIBUTES_NAMESPACE, LISTENER_METADATA, REQUEST_ATTRIBUTES, STAGE_DECIDE, STAGE_METADATA
from tests.kit.transactions import head

OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


class ExtProcClient:
    """One channel to a worker."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self._stub = ext_proc_pb2_grpc.ExternalProcessorStub(channel)  # type: ignore[no-untyped-call]

    def stream(self, listener: str, stage: str = STAGE_DECIDE) -> Any:
        """Open a stream for a request on a listener."""
        return self._stub.Process(metadata=((STAGE_METADATA, stage), (LISTENER_METADATA, listener)))

    async def exchange(
        self, listener: str, *messages: pb.ProcessingRequest, stage: str = STAGE_DECIDE
    ) -> list[pb.ProcessingResponse]:
        """Send messages one by one, each after the answer to the one before; return the answers."""
        call = self.stream(listener, stage)
        answers = []
        for message in messages:
            await call.write(message)
            answer = await call.read()
            if answer is grpc.aio.EOF:  # type: ignore[attr-defined]
                break
            answers.append(answer)
        call.cancel()
        return answers


def headers_message(headers: Mapping[str, str] | None = None, *, ends_stream: bool = False) -> pb.ProcessingRequest:
    """Make the message that tells a request's head: a chat completion, unless said otherwise."""
    message = pb.ProcessingRequest()
    message.request_headers.end_of_stream = ends_stream
    for key, value in (headers or head().headers).items():
        message.request_headers.headers.headers.add(key=key, raw_value=value.encode(errors="surrogateescape"))
    return message


def body_message(body: bytes) -> pb.ProcessingRequest:
    """Make the message that tells a request's body."""
    return pb.ProcessingRequest(request_body=pb.HttpBody(body=body, end_of_stream=True))


def whole_message(body: bytes, headers: Mapping[str, str] | None = None) -> pb.ProcessingRequest:
    """Make the one message that tells a request's body and, as attributes, what is needed of its head."""
    message = body_message(body)
    known = headers or head().headers
    fields = message.attributes[ATTRIBUTES_NAMESPACE].fields
    for attribute, header in REQUEST_ATTRIBUTES.items():
        if header in known:
            fields[attribute].string_value = known[header]
    return message


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[ExtProcClient]:
    """Connect to a worker."""
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        yield ExtProcClient(channel)
