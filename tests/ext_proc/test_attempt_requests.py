"""What each attempt sends: always from the client's own body, whatever the attempt before made of it."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.attempt.ejections import Ejections
from ext_proc.attempt.events import AttemptRequest
from ext_proc.attempt.history import AttemptHistory, load_history
from ext_proc.events import Continue, Respond
from protos.contract.headers import HISTORY_HEADER, RETRY_HEADER, ROUTE_HEADER, VETO_HEADER
from protos.contract.metadata import METADATA_HAS_MODEL, METADATA_QUERY, METADATA_SESSION, METADATA_UPSTREAM_MODEL
from tests.kit.attempts import BEDROCK, CHAT_REQUEST, CLAUDE, GPT, REQUESTS, RESPONSES, TOGETHER, AttemptPlay, chain_config
from tests.kit.llm_streams import chunked

CLAUDES = f"chain/{CLAUDE}(messages)"


def sent(reply: Continue | Respond) -> Continue:
    assert isinstance(reply, Continue), reply
    assert reply.body is not None
    return reply


def test_the_same_api_keeps_every_byte_but_the_models_name() -> None:
    raw = b'{ "messages":[{"role":"user","content":"\xc3\xa9\\u00e9"}], "model" : "smart", "n":1.0 , "n":2}'
    reply = sent(AttemptPlay(GPT).request(raw))
    assert reply.body == raw.replace(b'"smart"', b'"gpt-4o"')
    assert reply.set_headers[":path"] == "/v1/chat/completions"
    assert "anthropic-version" not in reply.set_headers


@pytest.mark.parametrize("client_api", REQUESTS)
def test_converse_has_another_path_for_streams_and_its_model_is_in_the_path(client_api: str) -> None:
    paths = []
    for stream in (False, True):
        reply = sent(AttemptPlay(BEDROCK, client_api=client_api).request({**REQUESTS[client_api], "stream": stream}))
        paths.append(reply.set_headers[":path"])
        assert orjson.loads(reply.body or b"")["messages"] == [{"role": "user", "content": [{"text": "hi"}]}]
    model = "us.amazon.nova-pro-v1%3A0"
    assert paths == [f"/model/{model}/converse", f"/model/{model}/converse-stream"]


def test_a_body_without_a_model_gets_one() -> None:
    reply = sent(AttemptPlay(GPT, metadata={METADATA_HAS_MODEL: "false"}).request(b'{"messages":[]}'))
    assert orjson.loads(reply.body or b"") == {"model": "gpt-4o", "messages": []}


@pytest.mark.parametrize(
    ("model", "path"), [(GPT, "/v1/chat/completions"), (CLAUDE, "/v1/messages"), (RESPONSES, "/v1/responses")]
)
@pytest.mark.parametrize("client_api", REQUESTS)
def test_every_client_reaches_every_api(client_api: str, model: str, path: str) -> None:
    reply = sent(AttemptPlay(model, client_api=client_api).request(REQUESTS[client_api]))
    body = orjson.loads(reply.body or b"")
    assert body["model"] == model.partition("/")[2]
    assert reply.set_headers[":path"] == path
    assert {"messages": "messages", "chat_completions": "messages", "responses": "input"}[path_api(path)] in body
    assert ("anthropic-version" in reply.set_headers) == (model == CLAUDE)


def path_api(path: str) -> str:
    return {"/v1/chat/completions": "chat_completions", "/v1/messages": "messages", "/v1/responses": "responses"}[path]


def test_a_clients_anthropic_version_is_kept() -> None:
    reply = sent(
        AttemptPlay(CLAUDE, client_api="messages", headers={"anthropic-version": "2024-01-01"}).request(REQUESTS["messages"])
    )
    assert "anthropic-version" not in reply.set_headers


@pytest.mark.parametrize(
    ("client_api", "model", "given", "wanted", "sent_as"),
    [
        ("messages", GPT, {"x-api-key": "k"}, "authorization", {"authorization": "Bearer k"}),
        ("messages", GPT, {"x-api-key": "k", "authorization": "Bearer own"}, "authorization", {}),
        ("responses", CLAUDE, {"authorization": "Bearer k"}, "x-api-key", {"x-api-key": "k"}),
        ("chat_completions", CLAUDE, {"authorization": "Bearer k"}, "x-api-key", {"x-api-key": "k"}),
        ("messages", CLAUDE, {"authorization": "Bearer token"}, "x-api-key", {}),
        ("messages", GPT, {}, "authorization", {}),
        ("messages", GPT, {"x-api-key": "k"}, "", {}),
    ],
)
def test_a_clients_own_key_goes_where_its_provider_looks_for_it(
    client_api: str, model: str, given: dict[str, str], wanted: str, sent_as: dict[str, str]
) -> None:
    config = chain_config()
    for item in config.models:
        for target in item.targets:
            target.client_key_header = wanted
    play = AttemptPlay(model, client_api=client_api, headers=given, config=config)
    reply = sent(play.request(REQUESTS[client_api]))
    assert {name: reply.set_headers[name] for name in ("authorization", "x-api-key") if name in reply.set_headers} == sent_as
    assert ("authorization" in reply.remove_headers) == ("x-api-key" in sent_as)


def test_a_wildcard_is_sent_and_shown_under_the_name_that_was_asked_for() -> None:
    play = AttemptPlay(TOGETHER, metadata={METADATA_UPSTREAM_MODEL: "meta/llama-3"})
    assert orjson.loads(sent(play.request(CHAT_REQUEST)).body or b"")["model"] == "meta/llama-3"
    failed = play.answer(503, b"{}")
    assert (failed.model, failed.history.attempted) == ("together/meta/llama-3", ("together/*",))


def test_a_query_reaches_the_clients_own_api_only() -> None:
    query = {METADATA_QUERY: "?beta=true"}
    same = sent(AttemptPlay(CLAUDE, client_api="messages", metadata=query).request(REQUESTS["messages"]))
    other = sent(AttemptPlay(GPT, client_api="messages", metadata=query).request(REQUESTS["messages"]))
    assert (same.set_headers[":path"], other.set_headers[":path"]) == ("/v1/messages?beta=true", "/v1/chat/completions")


def test_what_an_api_cannot_carry_is_refused_by_name_in_the_clients_shape() -> None:
    body = {**REQUESTS["messages"], "messages": [{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}]}
    reply = AttemptPlay(GPT, client_api="messages").request(body)
    assert isinstance(reply, Respond)
    error = orjson.loads(reply.body)
    assert (reply.status, error["type"], error["error"]["type"]) == (400, "error", "invalid_request_error")
    assert "messages[0].content[0].type" in error["error"]["message"]


UNCARRIED = {**REQUESTS["messages"], "messages": [{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}]}


def test_a_fallback_that_cannot_carry_the_request_is_passed_over() -> None:
    play = AttemptPlay(GPT, client_api="messages", attempted=(CLAUDE,), failure="upstream_error", chain=CLAUDES)
    reply = play.request(UNCARRIED)
    assert isinstance(reply, Respond)
    assert reply.headers[RETRY_HEADER] == "cannot_carry"
    history = load_history(reply.headers[HISTORY_HEADER])
    assert (history.attempted, history.cannot_carry, set(history.excluded)) == ((CLAUDE, GPT), (GPT,), {GPT})
    # What the client sees if no attempt is left.
    assert reply.status == 503
    assert "messages[0].content[0].type" in orjson.loads(reply.body)["error"]["message"]


def test_the_first_model_is_not_passed_over() -> None:
    reply = AttemptPlay(GPT, client_api="messages").request(UNCARRIED)
    assert isinstance(reply, Respond)
    assert (reply.status, reply.headers[VETO_HEADER]) == (400, "true")
    assert RETRY_HEADER not in reply.headers


def test_when_nobody_else_is_left_a_model_that_cannot_carry_the_request_ends_it() -> None:
    history = AttemptHistory(attempted=(CLAUDE,), failure="unanswered", timed_out=(CLAUDE,))
    reply = AttemptPlay(GPT, client_api="messages", history=history, chain=CLAUDES).request(UNCARRIED)
    assert isinstance(reply, Respond)
    assert (reply.status, reply.headers[VETO_HEADER]) == (503, "true")
    assert RETRY_HEADER not in reply.headers


def test_a_model_is_not_asked_again_what_is_too_long_for_it() -> None:
    history = AttemptHistory(attempted=(GPT, CLAUDE), failure="unanswered", too_long_for=(GPT,), timed_out=(CLAUDE,))
    reply = AttemptPlay(GPT, history=history)
    [refused] = reply.session.handle(AttemptRequest(reply.begin, b"{}"))
    assert isinstance(refused, Respond)
    assert (refused.status, orjson.loads(refused.body)["error"]["code"]) == (503, "no_model_left")
    assert refused.headers[VETO_HEADER] == "true"
    assert reply.session.is_done


def test_tokens_are_counted_by_a_chain_of_those_who_can() -> None:
    config = chain_config()
    claude = next(model for model in config.models if model.name == CLAUDE)
    claude.targets.add(api="count_tokens", path="/v1/messages/count_tokens")
    claude.routes.add(api="count_tokens", route="chain/counting", by_attempt=True).members.add(model=CLAUDE, api="count_tokens")
    play = AttemptPlay(CLAUDE, client_api="count_tokens", chain="chain/counting", config=config)
    reply = sent(play.request({"model": "x", "messages": []}))
    assert reply.body == b'{"model":"claude-sonnet-4-0","messages":[]}'
    assert reply.set_headers.items() >= {":path": "/v1/messages/count_tokens", "anthropic-version": "2023-06-01"}.items()
    seen = play.answer(503, "the provider is down")
    assert seen.json == {"type": "error", "error": {"type": "overloaded_error", "message": "the provider is down"}}


def test_embeddings_pass() -> None:
    reply = sent(AttemptPlay(GPT, client_api="embeddings").request({"model": "x", "input": "hi"}))
    assert orjson.loads(reply.body or b"") == {"model": "gpt-4o", "input": "hi"}
    assert reply.set_headers[":path"] == "/v1/embeddings"


def test_each_attempt_is_told_of_those_before() -> None:
    first = AttemptPlay(GPT)
    assert sent(first.request(CHAT_REQUEST)).set_headers[ROUTE_HEADER] == f"failover/target/{GPT}"
    told = first.answer(429, b"{}").history
    assert (told.attempted, told.failure, told.is_transient) == ((GPT,), "rate_limited", False)
    second = AttemptPlay(CLAUDE, history=told, chain=f"chain/{GPT}(chat_completions)")
    assert sent(second.request(CHAT_REQUEST)).set_headers[ROUTE_HEADER] == f"failover/target/{CLAUDE}"
    record = second.session.record
    assert (record.number, record.failed_over_from, record.failed_over_for) == (2, GPT, "rate_limited")
    again = AttemptPlay(GPT, history=second.answer(429, b"{}").history)
    # Both have failed: it is tried even if all of it is ejected.
    assert sent(again.request(CHAT_REQUEST)).set_headers[ROUTE_HEADER] == f"target/{GPT}"


def test_a_retry_of_the_same_model_is_no_failover() -> None:
    play = AttemptPlay(GPT, history=AttemptHistory(attempted=(GPT,), failure="upstream_error", is_transient=True))
    assert orjson.loads(sent(play.request(CHAT_REQUEST)).body or b"")["model"] == "gpt-4o"
    assert play.session.record.failed_over_from == ""


def test_a_model_of_which_all_is_ejected_is_left_alone_for_a_second() -> None:
    clock, chain = [10.0], f"chain/{GPT}(chat_completions)"
    ejections = Ejections(lambda: clock[0])
    first = AttemptPlay(GPT, ejections=ejections)
    first.request(CHAT_REQUEST)
    first.answer(503, b"", {"x-plano-local-reply": "UF", "x-plano-unavailable": "true"})
    assert (first.seen.retry, first.seen.history.is_transient) == ("unanswered", False)
    second = AttemptPlay(CLAUDE, chain=chain, ejections=ejections)
    second.request(CHAT_REQUEST)
    assert second.session.record.model == CLAUDE
    clock[0] += 1.1
    third = AttemptPlay(GPT, chain=chain, ejections=ejections)
    third.request(CHAT_REQUEST)
    assert third.session.record.model == GPT


def test_an_unknown_chain_is_a_gateway_that_is_changing() -> None:
    play = AttemptPlay(GPT, chain="chain/unknown")
    [reply] = play.session.handle(AttemptRequest(play.begin, b"{}"))
    assert isinstance(reply, Respond)
    assert (reply.status, reply.headers["retry-after"], reply.headers[VETO_HEADER]) == (503, "1", "true")
    assert play.session.is_done


_VALUES = (
    *(b"1", b"1.00", b"-0.0", b"12345678901234567890123", b"1E2", b"null", b"[ ]"),
    *(b'"x\\/y"', b'"\\ud83d\\ude00"', '"\u2028\u00e9"'.encode()),
    *(b'{"model" : "inner", "model":1}', b'[{"model":"m"}, "\\"model\\":"]'),
)
_MEMBERS = st.lists(
    st.tuples(
        st.sampled_from([b'"model"', b'"messages"', b'"mod\\u0065l"', b'"n"', b'"a\\u00e9\\"b"', b'"nested"']),
        st.sampled_from(_VALUES),
        st.sampled_from([b"", b" ", b"\r\n\t"]),
    ),
    max_size=6,
)


@given(members=_MEMBERS)
def test_every_byte_but_the_models_name_reaches_an_upstream_of_the_same_api(members: list[tuple[bytes, bytes, bytes]]) -> None:
    def body(model: bytes) -> bytes:
        spelled = [(key, model if b"od" in key else value, space) for key, value, space in members]
        told = (space + key + space + b":" + value + space for key, value, space in spelled)
        return b"{" + b",".join(told) + b"}"

    has_model = "model" in orjson.loads(body(b'"asked"'))
    play = AttemptPlay(GPT, metadata={METADATA_HAS_MODEL: "true" if has_model else "false"})
    reply = sent(play.request(body(b'"asked"')))
    if has_model:
        assert reply.body == body(b'"gpt-4o"')
    else:
        assert reply.body is not None
        assert reply.body.replace(b'"model":"gpt-4o"' + (b"," if members else b""), b"", 1) == body(b"")


@given(said=st.text(), space=st.sampled_from([b"", b" ", b"\r\n"]), cuts=st.lists(st.integers(0, 80), max_size=4))
def test_every_byte_of_the_answer_of_the_same_api_reaches_the_client(said: str, space: bytes, cuts: list[int]) -> None:
    text = orjson.dumps(said.encode(errors="ignore").decode())
    answer = space + b'{"choices":[{"message":{"content":' + text + b'}}],"id":1.00,' + space + b'"id":1E2}' + space
    play = AttemptPlay(GPT)
    play.request(CHAT_REQUEST)
    play.head(200, "application/json")
    for chunk in chunked(answer, cuts):
        play.body(chunk)
    play.body(b"", ends_stream=True)
    assert (play.seen.status, play.seen.body) == (200, answer)


def test_an_attempt_knows_the_session_that_wants_its_usage() -> None:
    attempt = AttemptPlay(metadata={METADATA_SESSION: "s"})
    attempt.request(CHAT_REQUEST)
    assert attempt.session.record.session == "s"


BETAS = "claude-code-20250219,interleaved-thinking-2025-05-14"


def test_names_of_betas_are_taken_from_bedrock_alone() -> None:
    def removed(model: str) -> tuple[str, ...]:
        play = AttemptPlay(model, client_api="messages", headers={"anthropic-beta": BETAS})
        return sent(play.request(REQUESTS["messages"])).remove_headers

    assert "anthropic-beta" in removed(BEDROCK)
    assert "anthropic-beta" not in removed(CLAUDE)
