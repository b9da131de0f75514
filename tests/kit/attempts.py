"""Attempts for tests: a configuration with chains, sessions of their own, and what a client would see of the replies."""

from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from ext_proc.apis.registry import spec_of
from ext_proc.attempt.ejections import Ejections
from ext_proc.attempt.events import (
    AnswerChunk,
    AttemptHeaders,
    AttemptReply,
    AttemptRequest,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    SendBody,
    SendHeaders,
    SendTrailers,
)
from ext_proc.attempt.history import AttemptHistory, load_history
from ext_proc.attempt.transaction import AttemptTransaction
from ext_proc.events import Continue, Respond
from ext_proc.plan.plan import compile_plan
from protos import filter_config_pb2 as pb
from protos.contract.headers import ENTRY_HEADER, HISTORY_HEADER, MODEL_HEADER, RETRY_HEADER
from protos.contract.metadata import (
    METADATA_API,
    METADATA_HAS_MODEL,
    METADATA_HISTORY,
    METADATA_ROUTE,
    METADATA_STREAM,
)

GPT, CLAUDE, RESPONSES, TOGETHER = "openai/gpt-4o", "anthropic/claude-sonnet-4-0", "openai/gpt-5", "together/*"
BEDROCK = "amazon_bedrock/us.amazon.nova-pro-v1:0"

_TARGETS = {
    GPT: ("chat_completions", "/v1/chat/completions", "gpt-4o"),
    CLAUDE: ("messages", "/v1/messages", "claude-sonnet-4-0"),
    RESPONSES: ("responses", "/v1/responses", "gpt-5"),
    TOGETHER: ("chat_completions", "/inference/v1/chat/completions", ""),
    BEDROCK: ("converse", "/model/{model}/converse", "us.amazon.nova-pro-v1:0"),
}


def chain_config(version: str = "v1") -> pb.FilterConfig:
    """Every model serves every translatable client API by a chain: itself first, then Claude and GPT."""
    config = pb.FilterConfig(version=version, egress_url="http://127.0.0.1:9", max_request_bytes=16 << 20)
    config.listeners.add(name="models", kind=pb.Listener.Kind.MODEL)
    for name, (api, path, upstream_model) in _TARGETS.items():
        model = config.models.add(name=name, upstream_model=upstream_model, provider=name.partition("/")[0])
        stream_path = f"{path}-stream" if api == "converse" else ""
        target = model.targets.add(api=api, path=path, stream_path=stream_path)
        target.route, target.failover_route = f"target/{name}", f"failover/target/{name}"
        if api == "chat_completions":
            model.targets.add(api="embeddings", path="/v1/embeddings")
            embeddings = model.routes.add(api="embeddings", route=f"chain/{name}(embeddings)", by_attempt=True)
            embeddings.members.add(model=name, api="embeddings")
        for client_api in ("chat_completions", "messages", "responses"):
            route = model.routes.add(api=client_api, route=f"chain/{name}({client_api})", by_attempt=True)
            for member in dict.fromkeys((name, CLAUDE, GPT)):
                route.members.add(model=member, api=_TARGETS[member][0])
    return config


@dataclass
class Seen:
    """What the client sees of an attempt's replies, and Envoy."""

    status: int = 0
    model: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    body: bytes = b""
    ended: bool = False
    detached: bool = False
    """Whether the stage has detached, and the rest passed without it."""

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def retry(self) -> str:
        return self.headers.get(RETRY_HEADER, "")

    @property
    def history(self) -> AttemptHistory:
        """What the next attempt is told."""
        return load_history(self.headers.get(HISTORY_HEADER, ""))


class AttemptPlay:
    """One attempt, from Envoy's point of view."""

    def __init__(
        self,
        model: str = GPT,
        *,
        client_api: str = "chat_completions",
        attempted: tuple[str, ...] = (),
        failure: str = "",
        history: AttemptHistory | None = None,
        chain: str = "",
        metadata: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        config: pb.FilterConfig | None = None,
        may_detach: bool = False,
        ejections: Ejections | None = None,
    ) -> None:
        self._unanswered: list[bytes] = []
        """Pieces that Envoy keeps where it wants them answered one by one."""
        self._may_detach = may_detach
        self.clock = 100.0
        self.session = AttemptTransaction(
            compile_plan(config or chain_config()),
            ejections,
            monotonic=lambda: self.clock,
            now=lambda: 1700000000.0,
            new_id=lambda: "f" * 32,
        )
        self.seen = Seen()
        told = {
            METADATA_API: client_api,
            METADATA_ROUTE: chain or f"chain/{model}({client_api})",
            METADATA_HAS_MODEL: "true",
            METADATA_HISTORY: (history or AttemptHistory(attempted=attempted, failure=failure)).dump(),
        } | (metadata or {})
        self.api = client_api if client_api in ("embeddings", "count_tokens") else _TARGETS[model][0]
        times = tuple(1700000000.0 + number for number in range(len(history.attempted if history else attempted) + 1))
        sent = {"x-request-id": "r-1", **(headers or {})}
        self.begin = AttemptHeaders(headers=sent, times=times, metadata=told, may_detach=may_detach)

    def request(self, body: Any) -> Continue | Respond:
        """Send the client's request; return what becomes of it."""
        stream = {METADATA_STREAM: "true"} if isinstance(body, dict) and body.get("stream") else {}
        head = replace(self.begin, metadata={**self.begin.metadata, **stream})
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        [reply] = self.session.handle(AttemptRequest(head, data))
        assert isinstance(reply, Continue | Respond)
        return reply

    def head(
        self,
        status: int = 200,
        content_type: str = "application/json",
        *,
        ends_stream: bool = False,
        more: dict[str, str] | None = None,
    ) -> None:
        """Let the upstream's head arrive."""
        headers = {":status": str(status), "content-type": content_type, **(more or {})}
        self.seen.status = status
        self._take(self.session.handle(ResponseHeaders(headers, ends_stream=ends_stream)))
        self._end_by_envoy(ends_stream=ends_stream)

    def body(self, data: bytes, *, ends_stream: bool = False) -> None:
        """Let a piece of body arrive."""
        if self.seen.detached:
            self.seen.body += data
        else:
            self._unanswered.append(data)
            self._take(self.session.handle(ResponseBody(data, ends_stream)))
        self._end_by_envoy(ends_stream=ends_stream)

    def trailers(self) -> None:
        """Let the upstream end with trailers."""
        self._take(self.session.handle(ResponseTrailers()))

    @property
    def is_held(self) -> bool:
        """Whether Envoy could still try elsewhere."""
        return not self.seen.removed and not self.seen.headers

    def answer(self, status: int, body: Any, more: dict[str, str] | None = None) -> Seen:
        """Let a whole JSON answer arrive."""
        self.head(status, more=more)
        self.body(body if isinstance(body, bytes) else orjson.dumps(body))
        self.body(b"", ends_stream=True)
        return self.seen

    def stream(self, *chunks: bytes) -> Seen:
        """Let a whole event stream arrive."""
        self.head(content_type=f"{spec_of(self.api).stream_type}; charset=utf-8")
        for chunk in chunks:
            self.body(chunk)
        self.body(b"", ends_stream=True)
        return self.seen

    def _end_by_envoy(self, *, ends_stream: bool) -> None:
        """Where pieces are answered one by one the upstream's end is the client's, and all of them must have been answered."""
        if not self._may_detach:
            return
        if self.session.is_done and not self.seen.detached and not ends_stream:
            self.seen.detached = True
            self.seen.body += b"".join(self._unanswered)
            self._unanswered.clear()
        if ends_stream:
            if self.session.is_done and self.seen.headers and self._unanswered:
                self.seen.body += b"".join(self._unanswered)
                self._unanswered.clear()
            assert not self._unanswered
            self.seen.ended = True

    def _take(self, replies: list[AttemptReply]) -> None:
        seen = self.seen
        for reply in replies:
            assert not seen.ended, "nothing may follow the end"
            match reply:
                case SendHeaders():
                    assert self.is_held, "the head goes once"
                    assert not seen.body
                    seen.headers = dict(reply.set_headers)
                    seen.model = seen.headers.pop(MODEL_HEADER)
                    seen.headers.pop(ENTRY_HEADER)
                    seen.removed = reply.remove_headers
                    seen.status = int(seen.headers.get(":status", seen.status))
                    seen.body += reply.body or b""
                    seen.ended = reply.body is not None
                case AnswerChunk():
                    oldest = self._unanswered.pop(0)
                    seen.body += oldest if reply.data is None else reply.data
                case SendBody():
                    assert not self.is_held, "a body without a head"
                    seen.body += reply.data
                    seen.ended = reply.ends_stream
                case SendTrailers():
                    seen.ended = True
                case other:
                    raise AssertionError(other)


CHAT_REQUEST: dict[str, Any] = {"model": "whatever", "messages": [{"role": "user", "content": "hi"}]}
MESSAGES_REQUEST = {"model": "whatever", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
RESPONSES_REQUEST = {"model": "whatever", "input": "hi"}
REQUESTS: dict[str, dict[str, Any]] = {
    "chat_completions": CHAT_REQUEST,
    "messages": MESSAGES_REQUEST,
    "responses": RESPONSES_REQUEST,
}

CHAT_ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello!"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
}
MESSAGE_ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-0",
    "content": [{"type": "text", "text": "Hello!"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 7, "output_tokens": 3},
}
RESPONSE_ANSWER = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "gpt-5",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hello!", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10},
}
CONVERSE_ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello!"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10},
}
ANSWERS: dict[str, dict[str, Any]] = {
    "chat_completions": CHAT_ANSWER,
    "messages": MESSAGE_ANSWER,
    "responses": RESPONSE_ANSWER,
    "converse": CONVERSE_ANSWER,
}
