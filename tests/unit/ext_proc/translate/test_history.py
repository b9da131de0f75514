"""Conversations that go on at another provider of the client's own API."""

from typing import Any

import orjson
import pytest

from control_plane.config.providers import find_provider, quirk_rules
from ext_proc.translate.history import fit_history, fit_request
from protos.contract.quirks import Quirks, resolve

OURS = "rs_" + "0" * 32 + "_0"


def quirks_at(provider: str, api: str) -> Quirks:
    known = find_provider(provider)
    assert known is not None
    return resolve(quirk_rules(known), "a-model", api)


def sent(body: dict[str, Any], api: str, provider: str) -> Any:
    return orjson.loads(fit_history(orjson.dumps(body), api, quirks_at(provider, api)))


def messages(*blocks: dict[str, Any]) -> dict[str, Any]:
    said = {"role": "user", "content": "Hi"}
    return {"model": "m", "max_tokens": 9, "messages": [said, {"role": "assistant", "content": [*blocks]}, said]}


TEXT = {"type": "text", "text": "Rain."}
SIGNED = {"type": "thinking", "thinking": "Think.", "signature": "EqQBCgIYAhIM"}


@pytest.mark.parametrize(
    "foreign",
    [
        {"type": "thinking", "thinking": "Think.", "signature": ""},
        {"type": "thinking", "thinking": "Think.", "signature": "openai-reasoning:rs_1:gAAAA"},
        {"type": "redacted_thinking", "data": 'call-signature:call_1:{"google":{}}'},
    ],
)
def test_anthropic_is_sent_no_thoughts_but_its_own(foreign: dict[str, Any]) -> None:
    assert sent(messages(foreign, SIGNED, TEXT), "messages", "anthropic") == messages(SIGNED, TEXT)


def test_a_message_of_foreign_thoughts_alone_is_left_out() -> None:
    fitted = sent(messages({"type": "thinking", "thinking": "T", "signature": ""}), "messages", "anthropic")
    assert [message["role"] for message in fitted["messages"]] == ["user", "user"]


def test_citations_that_we_made_are_left_out() -> None:
    ours = {"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "", "encrypted_index": ""}
    own = {**ours, "encrypted_index": "Eo8B"}
    assert sent(messages({**TEXT, "citations": [ours]}), "messages", "anthropic") == messages(TEXT)
    kept = messages({**TEXT, "citations": [own]})
    assert sent(messages({**TEXT, "citations": [ours, own]}), "messages", "anthropic") == kept


def test_ids_of_calls_fit_with_their_results() -> None:
    use = {"type": "tool_use", "id": "functions.Bash:0", "name": "Bash", "input": {}}
    body = messages(use)
    body["messages"][2] = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use["id"], "content": "a"}]}
    fitted = sent(body, "messages", "anthropic")["messages"]
    ident = fitted[1]["content"][0]["id"]
    assert fitted[2]["content"][0]["tool_use_id"] == ident
    assert ident.startswith("call_")
    assert len(ident) == 37


@pytest.mark.parametrize(
    "item",
    [
        {"type": "reasoning", "id": OURS, "summary": [], "encrypted_content": "claude-signature:AAAA"},
        {"type": "reasoning", "id": OURS, "summary": [], "encrypted_content": "claude-redacted:AAAA"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "call-signature:c:{}"},
        {"type": "reasoning", "id": OURS, "summary": [{"type": "summary_text", "text": "T"}], "encrypted_content": None},
        {"type": "reasoning", "id": "rs_xai", "summary": [], "encrypted_content": "b64-of-grok"},
    ],
)
def test_openai_is_sent_no_reasoning_but_its_own(item: dict[str, Any]) -> None:
    own = {"type": "reasoning", "id": "rs_68ab", "summary": [], "encrypted_content": "gAAAAABk"}
    body = {"model": "m", "input": [{"role": "user", "content": "Hi"}, item, own]}
    assert sent(body, "responses", "openai")["input"] == [body["input"][0], own]


def test_strict_servers_of_chat_are_sent_no_reasoning() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    signed = {**call, "extra_content": {"google": {"thought_signature": "S"}}}
    thought = {"role": "assistant", "content": "x", "reasoning_content": "T", "reasoning_details": [], "tool_calls": [signed]}
    fitted = sent({"model": "m", "messages": [thought]}, "chat_completions", "openai")
    assert fitted["messages"] == [{"role": "assistant", "content": "x", "tool_calls": [call]}]
    assert sent({"model": "m", "messages": [thought]}, "chat_completions", "openrouter")["messages"] == [thought]


def test_ids_are_such_as_mistral_takes() -> None:
    call = {"id": "toolu_01A", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    result = {"role": "tool", "tool_call_id": "toolu_01A", "content": "x"}
    body = {"model": "m", "messages": [{"role": "assistant", "tool_calls": [call]}, result]}
    fitted = sent(body, "chat_completions", "mistral")["messages"]
    assert fitted[0]["tool_calls"][0]["id"] == fitted[1]["tool_call_id"]
    assert len(fitted[1]["tool_call_id"]) == 9


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("messages", messages(SIGNED, TEXT)),
        ("responses", {"model": "m", "input": "openai-reasoning is a word"}),
        ("chat_completions", {"model": "m", "messages": [{"role": "user", "content": '"reasoning_content"'}]}),
        ("embeddings", {"model": "m", "input": "x"}),
    ],
)
def test_what_is_well_passes_byte_for_byte(api: str, body: dict[str, Any]) -> None:
    raw = orjson.dumps(body, option=orjson.OPT_INDENT_2)
    assert fit_history(raw, api, quirks_at("openai" if api != "messages" else "anthropic", api)) is raw


def test_the_backend_of_chatgpt_is_sent_the_only_form_that_it_takes() -> None:
    quirks = quirks_at("chatgpt", "responses")
    body = {"model": "m", "input": "Hi", "max_output_tokens": 9, "temperature": 0.2}
    fitted = orjson.loads(fit_request(orjson.dumps(body), quirks))
    assert fitted["input"] == [{"type": "message", "role": "user", "content": "Hi"}]
    assert (fitted["store"], fitted["stream"], bool(fitted["instructions"])) == (False, True, True)
    assert "max_output_tokens" not in fitted
    assert "temperature" not in fitted


def test_a_summary_that_was_made_here_is_told_to_openai_in_words() -> None:
    question = {"type": "message", "role": "user", "content": "Go on."}
    ours = {"id": "cmp_1", "type": "compaction", "encrypted_content": "gateway-summary:It rains."}
    own = {"id": "cmp_2", "type": "compaction", "encrypted_content": "gAAAA"}
    told, kept, asked = sent({"model": "m", "input": [ours, own, question]}, "responses", "openai")["input"]
    assert told["role"] == "user"
    assert told["content"].endswith("summary of it:\n\nIt rains.")
    assert (kept, asked) == (own, question)
