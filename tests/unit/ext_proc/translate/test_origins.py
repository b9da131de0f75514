"""What is refused by the second of two translations is named by its place in the client's request."""

from typing import Any

import pytest

from ext_proc.errors import MalformedBody, RequestError
from ext_proc.translate.json_fields import Uncarried
from ext_proc.translate.registry import translation
from ext_proc.translate.translation import Exchange

AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
TEXT = {"type": "input_text", "text": "x"}
CALL = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
SAID = {"role": "assistant", "content": [{"type": "output_text", "text": "x"}]}


def refusal(client: str, upstream: str, request: dict[str, Any]) -> RequestError:
    exchange = Exchange(request={"model": "m", **request}, id="0" * 32, created=0)
    with pytest.raises(RequestError) as raised:
        translation(client, upstream, exchange).request(upstream_model="m")
    assert raised.value.public_message.startswith(raised.value.param or "?")
    assert "chat" not in raised.value.public_message
    return raised.value


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ([{"role": "user", "content": [TEXT, AUDIO]}], "input[0].content[1].type"),
        ([{"role": "user", "content": "x"}, SAID, CALL, {"role": "user", "content": [AUDIO]}], "input[3].content[0].type"),
        ([SAID, CALL, {"type": "function_call_output", "call_id": "a", "output": [TEXT, AUDIO]}], "input[2].output[1].type"),
        ([{"role": "user", "content": [{"type": "input_image", "image_url": "data:x"}]}], "input[0].content[0].image_url"),
    ],
)
def test_a_part_is_named_by_its_place(given: list[Any], param: str) -> None:
    error = refusal("responses", "messages", {"input": given})
    assert isinstance(error, Uncarried)
    assert error.param == param
    assert error.public_message.endswith("cannot be carried to a model that is served over messages.")


def test_the_kind_of_a_part_is_told() -> None:
    error = refusal("responses", "messages", {"input": [{"role": "user", "content": [AUDIO]}]})
    assert error.public_message.startswith("input[0].content[0].type: `input_audio` cannot be carried")


def test_a_field_of_another_name_is_named_as_the_client_names_it() -> None:
    error = refusal("messages", "responses", {"messages": [{"role": "user", "content": "x"}], "stop_sequences": ["y"]})
    assert error.param == "stop_sequences"


def test_a_malformed_field_is_named_as_the_client_names_it() -> None:
    given = [{"role": "user", "content": [TEXT, {"type": "input_file", "file_data": "no URL"}]}]
    error = refusal("responses", "messages", {"input": given})
    assert isinstance(error, MalformedBody)
    assert error.public_message == "input[0].content[1].file_data must be a data URL in base64."


def test_what_the_first_refuses_names_the_api_of_the_model() -> None:
    error = refusal("responses", "converse", {"input": "x", "background": True})
    assert error.public_message == "background cannot be carried to a model that is served over converse."


def test_a_tool_of_the_provider_names_the_api_of_the_model() -> None:
    request = {"input": "x", "tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}}
    error = refusal("responses", "messages", request)
    assert "`web_search` is run by its own provider only" in error.public_message
    assert error.public_message.endswith("served over messages.")
