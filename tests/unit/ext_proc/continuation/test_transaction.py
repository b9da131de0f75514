"""Answers with several authors: wherever a stream is cut, the client gets the whole answer or an error at its end."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.continuation.ports import CutOff
from ext_proc.continuation.transaction import Head, ResumableAnswer, Resumption, StreamRequest
from ext_proc.plan.plan import Plan
from ext_proc.plan.targets import Member, ResumableRoute, Target
from protos.contract.headers import ATTEMPTS_HEADER, LOCAL_REPLY_HEADER, MODEL_HEADER
from protos.contract.metadata import METADATA_API, METADATA_DECISION, METADATA_ROUTE
from protos.contract.quirks import QuirkTable, Rule
from tests.kit.folding import fold, payloads
from tests.kit.llm_provider import HELLO, WEATHER
from tests.kit.llm_streams import STREAMS, Answer, answers, chunked

ROUTE = "continued/chain/a"
APIS = st.sampled_from(sorted(STREAMS))
STORY = replace(HELLO, texts=["It ", "rains ", "cats ", "and ", "dogs."])


@dataclass
class Script:
    """What one upstream does."""

    data: bytes
    status: int = 200
    cut: bool = False
    silent: bool = False
    is_closed: bool = False
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})

    def __post_init__(self) -> None:
        self._left = [chunk for chunk in chunked(self.data, [7, 40, 41, 200]) if chunk]

    def close(self) -> None:
        self.is_closed = True

    async def chunk(self) -> bytes:
        if self._left:
            return self._left.pop(0)
        if self.silent:
            await asyncio.Event().wait()
        if self.cut:
            raise CutOff
        return b""


@dataclass
class Upstreams:
    """Plays its scripts one after another, by route."""

    scripts: dict[str, list[Script]]
    request: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    begun: list[Script] = field(default_factory=list)

    async def ask(self, route: str, _path: str, headers: Mapping[str, str], body: bytes) -> Script:
        self.request.append((route, headers, body))
        if not self.scripts.get(route):
            raise CutOff
        script = self.scripts[route].pop(0)
        self.begun.append(script)
        return script


def plan(api: str, resume_method: str = "", *, silence: float = 10.0, retries: int | None = None) -> Plan:
    members = tuple(Member(model, api, f"resumed/{model}", api) for model in ("a/1", "b/2", "c/3"))
    target = Target(path="/", quirks=QuirkTable((Rule(quirks={"resume_method": resume_method}),)))
    targets = {(member.model, api): target for member in members}
    resumable = {ROUTE: ResumableRoute(client_api=api, members=members, silence_seconds=silence)}
    return Plan(version="1", targets=targets, resumable=resumable, stream_retries=retries)


def sent_by(answer: ResumableAnswer, *, pause: float = 0.0) -> list[Any]:
    """Return the parts of an answer; the client takes so long for each."""
    parts: list[Any] = []

    async def send(part: Head | bytes) -> None:
        parts.append(part)
        await asyncio.sleep(pause)

    async def run() -> None:
        async with asyncio.timeout(20):
            await answer.give(send)

    asyncio.run(run())
    return parts


@dataclass
class Got:
    head: Head
    body: bytes
    resumptions: list[Resumption]
    upstreams: Upstreams


def play(
    api: str,
    scripts: dict[str, list[Script]],
    resume_method: str = "",
    *,
    silence: float = 10.0,
    pause: float = 0.0,
    wishes: dict[str, str] | None = None,
    retries: int | None = None,
) -> Got:
    """Run one request to its end; `wishes` are headers by which a trusted client bounds it, `retries` the listener's."""
    upstreams = Upstreams(scripts)
    for script in scripts.get(ROUTE, []):
        script.headers.setdefault(MODEL_HEADER, "a/1")
    metadata = {METADATA_ROUTE: ROUTE, METADATA_API: api, METADATA_DECISION: "exact"}
    body = orjson.dumps({"model": "a/1", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
    headers = {
        ":path": "/v1/" + api,
        ":method": "POST",
        "host": "x",
        "x-own": "1",
        "x-plano-metadata-query": "?forged",
        "x-forwarded-for": "10.0.0.7",
        **(wishes or {}),
    }
    request = StreamRequest(headers=headers, metadata=metadata, body=body)
    answer = ResumableAnswer(plan(api, resume_method, silence=silence, retries=retries), upstreams, request)

    head, *parts = sent_by(answer, pause=pause)
    assert all(script.is_closed for script in upstreams.begun)
    return Got(head, b"".join(parts), answer.resumptions, upstreams)


def said(api: str, stream: bytes) -> Any:
    """Fold a stream to what it says, without what counts tokens."""
    return {name: value for name, value in fold(api, stream).items() if name != "usage"}


def fails(api: str, stream: bytes) -> bool:
    """Tell if a stream ends with its API's error, and with it alone."""
    events = payloads(stream)
    kinds = [bool(event.get("error")) or event.get("type") in ("error", "response.failed") for event in events]
    assert not any(kinds[:-1])
    if any(kinds):
        assert b"[DONE]" not in stream
    return bool(kinds) and kinds[-1]


def cut_at(stream: bytes, at: int) -> Script:
    return Script(stream[: at % (len(stream) + 1)], cut=True)


@given(APIS, answers(), st.integers(0, 100_000))
def test_a_stream_cut_anywhere_is_whole_when_another_says_the_same(api: str, answer: Answer, at: int) -> None:
    stream = STREAMS[api](answer)
    got = play(api, {ROUTE: [cut_at(stream, at)], "resumed/b/2": [Script(stream)]})
    assert said(api, got.body) == said(api, stream)
    assert not fails(api, got.body)


@given(APIS, answers(), answers(), st.integers(0, 100_000))
def test_a_stream_cut_anywhere_is_whole_or_ends_in_an_error_whatever_others_say(
    api: str, answer: Answer, other: Answer, at: int
) -> None:
    stream, different = STREAMS[api](answer), STREAMS[api](other)
    scripts = {ROUTE: [cut_at(stream, at)], "resumed/b/2": [Script(different)], "resumed/c/3": [Script(different)]}
    got = play(api, scripts)
    assert fails(api, got.body) or said(api, got.body) in (said(api, stream), said(api, different))


@given(APIS, answers(), st.lists(st.integers(0, 100_000), min_size=3, max_size=3))
def test_cuts_of_everybody_end_in_one_error_unless_the_answer_was_whole(api: str, answer: Answer, at: list[int]) -> None:
    stream = STREAMS[api](answer)
    first, second, third = (cut_at(stream, place) for place in at)
    got = play(api, {ROUTE: [first], "resumed/b/2": [second], "resumed/c/3": [third]})
    assert fails(api, got.body) or said(api, got.body) == said(api, stream)


@pytest.mark.parametrize(("api", "resume_method"), [("messages", "prefill"), ("chat_completions", "partial")])
@given(at=st.integers(0, 100_000), second=st.integers(0, 100_000))
def test_who_can_take_up_a_text_is_given_it_and_says_the_rest(api: str, resume_method: str, at: int, second: int) -> None:
    stream, whole = STREAMS[api](STORY), "".join(STORY.texts)
    upstreams: dict[str, list[Script]] = {ROUTE: [cut_at(stream, at)]}

    class Prefilled(Upstreams):
        """Goes on after what it is given; the first one is cut as well."""

        async def ask(self, route: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
            last = orjson.loads(body)["messages"][-1]
            given = last["content"] if last["role"] == "assistant" else ""
            assert whole.startswith(given)
            if route != ROUTE:
                rest = STREAMS[api](replace(STORY, texts=[whole[len(given) :]]))
                self.scripts[route] = [cut_at(rest, second) if route == "resumed/b/2" else Script(rest)]
            return await super().ask(route, path, headers, body)

    for script in upstreams[ROUTE]:
        script.headers[MODEL_HEADER] = "a/1"
    metadata = {METADATA_ROUTE: ROUTE, METADATA_API: api}
    body = orjson.dumps({"messages": [{"role": "user", "content": "hi"}]})
    request = StreamRequest(headers={":path": "/"}, metadata=metadata, body=body)
    answer = ResumableAnswer(plan(api, resume_method), Prefilled(upstreams), request)

    _, *parts = sent_by(answer)
    assert said(api, b"".join(parts)) == said(api, stream)


def test_silence_counts_as_a_cut() -> None:
    stream = STREAMS["chat_completions"](STORY)
    scripts = {ROUTE: [Script(stream[: stream.index(b"cats")], silent=True)], "resumed/b/2": [Script(stream)]}
    got = play("chat_completions", scripts, silence=0.05)
    assert said("chat_completions", got.body) == said("chat_completions", stream)
    assert got.resumptions == [Resumption(from_model="a/1", to_model="b/2", method="repeat", outcome="completed")]


@pytest.mark.parametrize("alive", [b": alive\n\n", b"data:\n\n", b'event: ping\ndata: {"type": "ping"}\n\n', b"d"])
def test_what_only_keeps_the_connection_alive_is_silence_too(alive: bytes) -> None:
    class Alive(Script):
        async def chunk(self) -> bytes:
            if self._left:
                return await super().chunk()
            await asyncio.sleep(0.001)
            return alive

    stream = STREAMS["messages"](STORY)
    begun = Alive(stream[: stream.index(b"\n\n", stream.index(b"cats")) + 2])
    got = play("messages", {ROUTE: [begun], "resumed/b/2": [Script(stream)]}, silence=0.05)
    assert said("messages", got.body) == said("messages", stream)
    assert got.resumptions == [Resumption(from_model="a/1", to_model="b/2", method="repeat", outcome="completed")]


def test_a_client_that_takes_its_time_is_not_silence() -> None:
    stream = STREAMS["chat_completions"](STORY)
    got = play("chat_completions", {ROUTE: [Script(stream)]}, silence=0.02, pause=0.05)
    assert (got.body, got.resumptions) == (stream, [])


def test_what_is_asked_again_carries_the_clients_headers_and_no_budget_of_its_first_request() -> None:
    stream = STREAMS["chat_completions"](WEATHER)
    wishes = {"x-envoy-max-retries": "1", "x-envoy-retry-on": "5xx", "x-envoy-upstream-rq-per-try-timeout-ms": "700"}
    got = play("chat_completions", {ROUTE: [cut_at(stream, 300)], "resumed/b/2": [Script(stream)]}, wishes=wishes)
    (first, headers, _), (second, later, _) = got.upstreams.request
    assert (first, second) == (ROUTE, "resumed/b/2")
    assert (headers["x-own"], headers["x-plano-metadata-route"]) == ("1", ROUTE)
    assert wishes.items() <= headers.items()
    assert (later["x-own"], later["x-plano-metadata-route"], later["x-plano-metadata-api"]) == (
        "1",
        "resumed/b/2",
        "chat_completions",
    )
    assert wishes.items() & later.items() == {("x-envoy-upstream-rq-per-try-timeout-ms", "700")}
    assert "host" not in later
    # Envoy takes nobody's wishes who is said to be further away.
    assert not headers.keys() & {"x-plano-metadata-query", "x-forwarded-for"}


@pytest.mark.parametrize(
    ("attempts", "retries", "sent"), [("1", "0", 1), ("1", "1", 2), ("1", "2", 3), ("3", "2", 1), ("2", "2", 2), ("1", "x", 3)]
)
def test_who_takes_over_is_an_attempt_like_others(attempts: str, retries: str, sent: int) -> None:
    first = cut_at(STREAMS["messages"](WEATHER), 300)
    first.headers[ATTEMPTS_HEADER] = attempts
    scripts = {ROUTE: [first], "resumed/b/2": [cut_at(first.data, 0)], "resumed/c/3": [cut_at(first.data, 0)]}
    got = play("messages", scripts, wishes={"x-envoy-max-retries": retries})
    assert fails("messages", got.body)
    assert len(got.upstreams.request) == sent


@pytest.mark.parametrize(
    ("configured", "wish", "sent"), [(0, None, 1), (1, None, 2), (None, None, 3), (0, "1", 2), (2, "0", 1)]
)
def test_a_listeners_limit_holds_where_the_client_has_none(configured: int | None, wish: str | None, sent: int) -> None:
    first = cut_at(STREAMS["messages"](WEATHER), 300)
    first.headers[ATTEMPTS_HEADER] = "1"
    scripts = {ROUTE: [first], "resumed/b/2": [cut_at(first.data, 0)], "resumed/c/3": [cut_at(first.data, 0)]}
    got = play("messages", scripts, wishes={"x-envoy-max-retries": wish} if wish else {}, retries=configured)
    assert fails("messages", got.body)
    assert len(got.upstreams.request) == sent


def test_a_client_may_bound_the_whole_of_an_answer() -> None:
    stream = STREAMS["responses"](STORY)
    wishes = {"x-envoy-upstream-rq-timeout-ms": "50"}
    scripts = {ROUTE: [Script(stream[: stream.index(b"cats")], silent=True)], "resumed/b/2": [Script(stream)]}
    got = play("responses", scripts, wishes=wishes)
    assert (payloads(got.body)[-1]["code"], got.resumptions) == ("upstream_timeout", [])


def test_the_head_is_the_first_answers() -> None:
    script = Script(STREAMS["messages"](STORY), headers={"content-type": "text/event-stream", "x-plano-attempts": "2"})
    got = play("messages", {ROUTE: [script]})
    assert (got.head.status, got.head.headers["x-plano-attempts"]) == (200, "2")
    assert (got.head.headers["x-plano-model"], got.head.headers["x-plano-decision"]) == ("a/1", "exact")
    assert got.body == STREAMS["messages"](STORY)


def test_an_error_passes_as_it_is() -> None:
    script = Script(b'{"error":1}', status=400, headers={"content-type": "application/json", "content-length": "11"})
    got = play("chat_completions", {ROUTE: [script]})
    assert (got.head.status, got.head.headers["content-length"], got.body) == (400, "11", b'{"error":1}')


@pytest.mark.parametrize(("status", "code"), [(503, "upstream_unavailable"), (504, "upstream_timeout")])
def test_envoys_own_reply_is_told_in_the_clients_words(status: int, code: str) -> None:
    script = Script(b"no", status=status, headers={LOCAL_REPLY_HEADER: "UF"})
    got = play("chat_completions", {ROUTE: [script]})
    assert (got.head.status, orjson.loads(got.body)["error"]["code"]) == (status, code)


def test_nobody_there_is_an_error_and_not_a_hang() -> None:
    got = play("messages", {})
    assert (got.head.status, orjson.loads(got.body)["type"]) == (503, "error")


def test_a_refusal_in_the_stream_is_final() -> None:
    stream = STREAMS["chat_completions"](STORY)
    refused = b'data: {"error":{"message":"against our usage policy","code":"content_policy_violation"}}\n\n'
    got = play(
        "chat_completions", {ROUTE: [Script(stream[: stream.index(b"\n\n") + 2] + refused)], "resumed/b/2": [Script(stream)]}
    )
    assert got.body.endswith(refused)
    assert len(got.upstreams.request) == 1


def test_an_error_that_another_model_may_better_is_a_cut() -> None:
    stream = STREAMS["messages"](STORY)
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n'
    begun = stream[: stream.index(b"\n\n", stream.index(b"cats")) + 2]
    got = play("messages", {ROUTE: [Script(begun + error)], "resumed/b/2": [Script(stream)]})
    assert said("messages", got.body) == said("messages", stream)


@pytest.mark.parametrize("end", [b"", b"data: [DONE]\n\n"])
@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource", None])
def test_a_chat_stream_that_ends_without_a_good_reason_is_cut(end: bytes, reason: str | None) -> None:
    stream = STREAMS["chat_completions"](STORY)
    begun = stream[: stream.index(b"\n\n", stream.index(b"cats")) + 2]
    last = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"%s"}]}\n\n' % reason.encode() if reason else b""
    got = play("chat_completions", {ROUTE: [Script(begun + last + end)], "resumed/b/2": [Script(stream)]})
    assert said("chat_completions", got.body) == said("chat_completions", stream)
    assert [resumptions.outcome for resumptions in got.resumptions] == ["completed"]


def test_who_is_given_a_text_and_says_it_again_all_the_same_is_heard_once() -> None:
    stream = STREAMS["messages"](STORY)
    scripts = {ROUTE: [Script(stream[: stream.index(b"dogs")], cut=True)], "resumed/b/2": [Script(stream)]}
    got = play("messages", scripts, "prefill")
    assert said("messages", got.body) == said("messages", stream)
    assert [(resumptions.method, resumptions.outcome) for resumptions in got.resumptions] == [("prefill", "completed")]


def test_who_stops_in_the_middle_of_what_it_was_given_has_said_nothing_new() -> None:
    stream = STREAMS["messages"](STORY)
    half = STREAMS["messages"](replace(STORY, texts=["It ", "rains"]))
    scripts = {ROUTE: [Script(stream[: stream.index(b"dogs")], cut=True)], "resumed/b/2": [Script(half), Script(stream)]}
    got = play("messages", scripts, "prefill")
    assert said("messages", got.body) == said("messages", stream)
    assert [(resumptions.method, resumptions.outcome) for resumptions in got.resumptions] == [
        ("prefill", "mismatch"),
        ("repeat", "completed"),
    ]


def test_the_error_of_a_responses_stream_has_the_next_number() -> None:
    stream = STREAMS["responses"](STORY)
    got = play("responses", {ROUTE: [Script(stream[: stream.index(b"cats")], cut=True)]})
    numbers = [event["sequence_number"] for event in payloads(got.body)]
    assert numbers == list(range(len(numbers)))
    assert payloads(got.body)[-1]["type"] == "error"


def test_a_responses_stream_without_empty_fields_is_resumed_by_one_with_them() -> None:
    stream = STREAMS["responses"](STORY)
    events = [orjson.dumps(_without_empty(event)) for event in payloads(stream)]
    bare = b"".join(b"data: " + event + b"\n\n" for event in events)
    assert b"[]" in stream
    got = play("responses", {ROUTE: [Script(bare[: bare.index(b"dogs")], cut=True)], "resumed/b/2": [Script(stream)]})
    assert [resumptions.outcome for resumptions in got.resumptions] == ["completed"]
    assert not fails("responses", got.body)


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_empty(inner) for name, inner in value.items() if inner not in ([], None)}
    return [_without_empty(inner) for inner in value] if isinstance(value, list) else value


def test_the_error_after_others_have_failed_to_resume_has_the_next_number_too() -> None:
    stream, other = STREAMS["responses"](STORY), STREAMS["responses"](replace(STORY, texts=["It ", "snows."]))
    scripts = {ROUTE: [Script(stream[: stream.index(b"cats")], cut=True)], "resumed/b/2": [Script(other)]}
    got = play("responses", scripts)
    numbers = [event["sequence_number"] for event in payloads(got.body)]
    assert numbers == list(range(len(numbers)))
    assert fails("responses", got.body)
