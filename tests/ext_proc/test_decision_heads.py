"""What a session answers to the head of a request: every order that Envoy can produce, and refusals in the client's shape."""

import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.decide.transaction import Transaction
from ext_proc.events import Continue, Reply, RequestBody, RequestHeaders, Respond, Trailers
from tests.kit.filter_configs import filter_config
from tests.kit.playbook import Check, play, refused
from tests.kit.transactions import head, new_transaction

CHAT = b'{"messages":[{"role":"user","content":"weather in London?"}],"model":"openai/gpt-4o"}'


def goes_to(route: str) -> Check:
    def check(reply: Reply) -> None:
        assert isinstance(reply, Continue)
        assert reply.set_headers["x-plano-route"] == route
        assert reply.clear_route_cache

    return check


async def test_headers_body_trailers() -> None:
    session = new_transaction("solo")
    await (play(session) >> head() << Continue() >> RequestBody(CHAT) << goes_to("agent/weather") >> Trailers() << Continue())
    assert session.is_decided


async def test_headers_that_end_the_stream_have_no_body_to_decide_by() -> None:
    session = new_transaction("solo")
    await (play(session) >> head(ends_stream=True) << refused(400, "The request body is empty."))
    assert session.is_decided


@pytest.mark.parametrize(
    ("path", "method", "status", "words"),
    [
        ("/", "GET", 404, {"type": "invalid_request_error", "code": "unknown_url"}),
        ("/v1/chat/completions/", "POST", 404, {"code": "unknown_url"}),
        ("/v1/embeddings", "POST", 404, {"code": "unknown_url"}),
        ("/v1/chat/completions", "GET", 405, {"code": "method_not_allowed"}),
        ("/v1/chat/completions?x=1", "DELETE", 405, {"code": "method_not_allowed"}),
        ("/v1/messages", "GET", 405, {"type": "invalid_request_error"}),
        ("/v1/messages/count_tokens?beta=true", "POST", 404, {"type": "not_found_error"}),
    ],
)
async def test_what_is_not_served_is_refused_in_the_clients_shape(
    path: str, method: str, status: int, words: dict[str, str]
) -> None:
    await (play(new_transaction("agents")) >> head(path, method) << refused(status, "", **words))


async def test_says_which_methods_are_allowed() -> None:
    reply = await new_transaction("models").handle(head("/v1/models", "POST"))
    assert isinstance(reply, Respond)
    assert reply.headers["allow"] == "GET, OPTIONS"


@pytest.mark.parametrize("encoding", ["lzma", "compress", "gzip, deflate"])
async def test_bodies_that_are_compressed_in_another_way_are_refused(encoding: str) -> None:
    reply = await new_transaction("solo").handle(head(content_encoding=encoding))
    assert isinstance(reply, Respond)
    assert (reply.status, reply.headers["accept-encoding"]) == (415, "gzip, br, zstd, deflate")


async def test_a_body_beyond_the_limit_is_refused() -> None:
    config = filter_config()
    config.max_request_bytes = 100
    too_large = RequestBody(b" " * 101)
    await (play(new_transaction("models", config=config)) >> head() << Continue() >> too_large << refused(413, "large"))


async def test_a_listener_without_configuration_is_not_ready() -> None:
    await (play(Transaction("agents", None)) >> head() << refused(503, "no configuration", code="not_ready"))
    await (play(new_transaction("gone")) >> head("/v1/messages") << refused(503, "no configuration", type="overloaded_error"))


async def test_a_body_that_was_not_announced_is_our_bug_and_ends() -> None:
    await (play(new_transaction("solo")) >> RequestBody(CHAT) << refused(500, "failed to handle"))
    again = new_transaction("solo")
    body = RequestBody(CHAT)
    await (play(again) >> head() << Continue() >> body << goes_to("agent/weather") >> body << refused(500, "failed to handle"))


async def test_lists_models_and_aliases_in_order() -> None:
    reply = await new_transaction("models").handle(head("/v1/models?limit=5", "GET", ends_stream=True))
    assert isinstance(reply, Respond)
    listed = orjson.loads(reply.body)
    assert listed["object"] == "list"
    names = [(model["id"], model["owned_by"]) for model in listed["data"]]
    assert names == [
        ("anthropic/claude", "anthropic"),
        ("azure/gpt", "azure"),
        ("fast", "openai"),
        ("openai/gpt-4o", "openai"),
        ("openai/gpt-4o-mini", "openai"),
    ]


async def test_answers_the_browsers_preflight() -> None:
    reply = await new_transaction("models").handle(head("/v1/models", "OPTIONS", ends_stream=True))
    assert isinstance(reply, Respond)
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (204, "*")


TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01")


@pytest.mark.parametrize(
    "malformed", ["", "x", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "ff-" + "1" * 32 + "-" + "1" * 16 + "-01"]
)
async def test_a_trace_that_cannot_be_carried_on_is_replaced(malformed: str) -> None:
    reply = await new_transaction("solo").handle(head(traceparent=malformed, tracestate="a=1"))
    assert isinstance(reply, Continue)
    assert TRACEPARENT.fullmatch(reply.set_headers["traceparent"])
    assert reply.remove_headers == ("tracestate",)


NAMES = st.one_of(st.sampled_from([":method", ":path", "content-encoding", "traceparent", "x-request-id", "cookie"]), st.text())


@given(st.dictionaries(NAMES, st.text(max_size=30)), st.booleans(), st.sampled_from(["agents", "models", "nowhere"]))
async def test_any_header_map_is_answered(headers: dict[str, str], ends_stream: bool, listener: str) -> None:
    reply = await new_transaction(listener).handle(RequestHeaders(headers, ends_stream))
    assert isinstance(reply, Respond)
    assert 400 <= reply.status < 600


BODIES = st.one_of(
    st.binary(max_size=60),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(0, 9), st.text(max_size=5), st.sampled_from(["user", "openai/gpt-4o"])),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["messages", "input", "model", "role", "content", "text", "type"]), inner),
        ),
    ).map(orjson.dumps),
)


@given(BODIES, st.sampled_from(["agents", "solo", "models"]), st.sampled_from(["chat/completions", "messages", "responses"]))
async def test_any_body_is_a_decision_or_the_clients_fault(body: bytes, listener: str, api: str) -> None:
    session = new_transaction(listener)
    assert isinstance(await session.handle(head(f"/v1/{api}")), Continue)
    reply = await session.handle(RequestBody(body))
    assert isinstance(reply, Continue) or 400 <= reply.status < 500


@pytest.mark.parametrize(
    "path", ["/chat/completions", "/v1/chat/completions/", "//v1/chat/completions", "/v1/v1/chat/completions"]
)
async def test_a_model_is_found_at_a_path_that_is_slightly_wrong(path: str) -> None:
    await (play(new_transaction("models")) >> head(path) << Continue() >> RequestBody(CHAT) << goes_to("model/openai/gpt-4o"))
    await (play(new_transaction("agents")) >> head(path) << refused(404, "Did you mean /v1/chat/completions"))


@pytest.mark.parametrize("name", ["openai/gpt-4o", "openai%2Fgpt-4o", "fast", "together/any"])
@pytest.mark.parametrize("is_messages", [False, True])
async def test_one_model_is_described(name: str, is_messages: bool) -> None:
    version = "2023-06-01" if is_messages else ""
    reply = await new_transaction("models").handle(head(f"/v1/models/{name}", "GET", anthropic_version=version))
    assert isinstance(reply, Respond)
    described = orjson.loads(reply.body)
    assert (reply.status, described["id"]) == (200, name.replace("%2F", "/"))
    assert ("object" in described) != is_messages


@pytest.mark.parametrize("name", ["unknown", "together/orchestrator", "openai/other"])
async def test_a_model_that_is_not_there_is_not_described(name: str) -> None:
    await (play(new_transaction("models")) >> head(f"/v1/models/{name}", "GET") << refused(404, "does not exist"))


async def test_clients_of_messages_get_their_list() -> None:
    reply = await new_transaction("models").handle(head("/v1/models", "GET", anthropic_version="2023-06-01"))
    assert isinstance(reply, Respond)
    assert orjson.loads(reply.body)["has_more"] is False
