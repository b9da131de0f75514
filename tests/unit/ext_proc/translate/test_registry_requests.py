"""Requests and answers of any shape end in a body or in an error of ours, and are never changed."""

import contextlib
import copy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ext_proc.errors import MalformedBody, UnsupportedFeature, UpstreamError
from ext_proc.translate import dropped
from ext_proc.translate.registry import PAIRS, supports, translation
from ext_proc.translate.translation import Exchange
from protos.contract.quirks import Quirks
from tests.kit.golden import GOLDEN_ROOT

ALL = sorted(PAIRS)
APIS = ("chat_completions", "messages", "responses")
few = settings(max_examples=settings().max_examples // 4)

# Objects made of the words of all APIs, so that chance finds its way into the translations.
WORDS = tuple(
    """
    model messages input system instructions role user assistant tool content type text thinking
    signature tool_use tool_result id name tools tool_choice function custom arguments tool_calls
    tool_call_id call_id output function_call function_call_output reasoning summary image image_url
    source url data media_type document file file_data input_text output_text input_image choices
    message delta finish_reason usage stop_reason output_config response_format json_schema schema
    format reasoning_details thinking stop max_tokens temperature metadata user_id stream_options status
    incomplete_details error code namespace allowed_tools
    stopReason toolUse toolUseId toolResult reasoningContent reasoningText redactedContent citationsContent
    additionalModelRequestFields usage trace serviceTier title context search_result tool_use_id
    """.split()  # noqa: SIM905
)
words = st.sampled_from(WORDS)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=3)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=5), max_leaves=30
)
bodies = st.dictionaries(words, values, max_size=8)
quirks_of_any = st.builds(
    Quirks,
    cache_markers=st.sampled_from(["none", "cache_control", "prompt_cache_breakpoint"]),
    reasoning_history=st.sampled_from(["none", "reasoning_content", "reasoning_details"]),
    thinking=st.sampled_from(["adaptive", "budget", "none"]),
    joins_text=st.booleans(),
    system_messages=st.booleans(),
)


def real_requests() -> list[Any]:
    folder = GOLDEN_ROOT / "translate" / "requests"
    paths = sorted(folder.glob("*/*.in.json"))
    return [
        pytest.param(path.parent.name, orjson.loads(path.read_bytes()), id=f"{path.parent.name}/{path.stem}") for path in paths
    ]


def exchange(request: dict[str, Any], quirks: Quirks | None = None) -> Exchange:
    return Exchange(request=request, id="0" * 32, created=1, quirks=quirks or Quirks())


@pytest.mark.parametrize(("client", "upstream"), ALL)
@few
@given(body=bodies, quirks=quirks_of_any)
def test_any_request_is_translated_or_refused(client: str, upstream: str, body: dict[str, Any], quirks: Quirks) -> None:
    before = copy.deepcopy(body)
    with contextlib.suppress(MalformedBody, UnsupportedFeature):
        translation(client, upstream, exchange(body, quirks)).request(upstream_model="claude-sonnet-4-5")
    assert repr(body) == repr(before)


@pytest.mark.parametrize(("client", "upstream"), ALL)
@few
@given(body=bodies)
def test_any_answer_is_translated_or_an_upstream_error(client: str, upstream: str, body: dict[str, Any]) -> None:
    before = copy.deepcopy(body)
    with contextlib.suppress(UpstreamError):
        translation(client, upstream, exchange({})).response(body)
    assert repr(body) == repr(before)


@pytest.mark.parametrize(("client", "upstream"), [*ALL, *((api, api) for api in APIS)])
@few
@given(status=st.integers(400, 599), body=st.binary(max_size=50) | values.map(lambda value: repr(value).encode()))
def test_any_error_becomes_an_error_of_the_clients_api(client: str, upstream: str, status: int, body: bytes) -> None:
    told = orjson.loads(translation(client, upstream, exchange({})).error(status, body))
    assert told["error"]["message"]


@pytest.mark.parametrize(("pair", "body"), real_requests())
@few
@given(at=st.integers(0, 200), value=values)
def test_a_real_request_with_one_wrong_value(pair: str, body: dict[str, Any], at: int, value: Any) -> None:
    client, upstream = pair.split("_over_")
    wrong = copy.deepcopy({name: value for name, value in body.items() if not name.startswith("$")})
    model = body.get("$model", "m")
    places = list(_places(wrong))
    holder, key = places[at % len(places)]
    holder[key] = value
    with contextlib.suppress(MalformedBody, UnsupportedFeature):
        translation(client, upstream, exchange(wrong)).request(upstream_model=model)


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


@pytest.mark.parametrize(("client", "upstream"), ALL)
def test_a_wrong_type_names_its_field(client: str, upstream: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        translation(client, upstream, exchange({"messages": 7, "input": 7})).request(upstream_model="m")
    assert caught.value.param in ("messages", "input")


@pytest.mark.parametrize(("client", "upstream"), ALL)
def test_unknown_fields_survive(client: str, upstream: str) -> None:
    body = {"messages": [], "input": [], "vendor_extension": {"kept": [1, None]}}
    out = translation(client, upstream, exchange(body)).request(upstream_model="m")
    if upstream == "converse":  # The path names the model.
        assert out["additionalModelRequestFields"]["vendor_extension"] == {"kept": [1, None]}
        assert "model" not in out
    else:
        assert out["vendor_extension"] == {"kept": [1, None]}
        assert out["model"] == "m"


TABLES = {
    ("messages", "chat_completions"): dropped.MESSAGES_OVER_CHAT_COMPLETIONS,
    ("chat_completions", "messages"): dropped.CHAT_COMPLETIONS_OVER_MESSAGES,
    ("responses", "chat_completions"): dropped.RESPONSES_OVER_CHAT_COMPLETIONS,
    ("chat_completions", "responses"): dropped.CHAT_COMPLETIONS_OVER_RESPONSES,
    ("chat_completions", "converse"): dropped.CHAT_COMPLETIONS_OVER_CONVERSE,
    ("messages", "converse"): dropped.MESSAGES_OVER_CONVERSE,
}


@pytest.mark.parametrize("pair", TABLES)
def test_what_is_dropped_is_in_the_table_and_what_is_in_the_table_is_dropped(pair: tuple[str, str]) -> None:
    plain = {"messages": [{"role": "user", "content": "Hi"}], "input": "Hi"}
    without = translation(*pair, exchange(plain)).request(upstream_model="m")
    for name, reason in TABLES[pair].items():
        value = [] if name == "include" else "x"
        given_too = translation(*pair, exchange({**plain, name: value})).request(upstream_model="m")
        assert given_too == without or name == "safety_identifier", name
        assert reason


@pytest.mark.parametrize("client", APIS)
@pytest.mark.parametrize("upstream", [*APIS, "converse"])
def test_every_client_api_is_served_over_every_upstream_api(client: str, upstream: str) -> None:
    assert supports(client, upstream)
    assert translation(client, upstream, exchange({})).stream().finish() != b""


def test_an_unknown_pair_is_refused_by_name() -> None:
    assert not supports("embeddings", "messages")
    with pytest.raises(UnsupportedFeature, match=r"embeddings.*messages"):
        translation("embeddings", "messages", exchange({}))


def test_a_failed_response_with_status_200_is_an_error() -> None:
    body = {"status": "failed", "error": {"code": "server_error", "message": "It broke."}, "output": []}
    with pytest.raises(UpstreamError, match="It broke"):
        translation("messages", "responses", exchange({})).response(body)
