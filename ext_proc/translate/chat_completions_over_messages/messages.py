"""Messages of Chat Completions -> system prompt and messages of Anthropic's API.

Anthropic requires alternating turns: consecutive messages of one side are joined, so that all results of parallel tool calls
are in the one message after the calls. It rejects empty texts, which are omitted.
"""

from typing import Any

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.custom_tools import FIELD
from ext_proc.translate.chat_completions.reasoning import blocks_of_history, interleave
from ext_proc.translate.chat_completions.refusals import refuse_history
from ext_proc.translate.json_fields import (
    as_object,
    as_text,
    kind_of,
    named_in,
    object_in,
    objects,
    parts_of,
    text_in,
    unsupported,
    unsupported_kind,
)
from ext_proc.translate.parts import arguments_object, media_type_of, split_data_url, text_of_data
from ext_proc.translate.translation import MESSAGES, Exchange


class AnthropicMessages:
    """Collects the system prompt and the messages of one request."""

    def __init__(self, exchange: Exchange) -> None:
        self.system: list[JsonObject] = []
        self.out: list[JsonObject] = []
        self._system_messages = exchange.quirks.system_messages

    def add_all(self, messages: object) -> None:
        """Add the messages of a request."""
        for message, where in objects(messages, "messages"):
            place = f"{where}.content"
            match message.get("role"):
                case "system" | "developer":
                    self._add_instructions(self._texts(message, place))
                case "user":
                    self._append("user", self._marked(message, _user_blocks(message.get("content"), place)))
                case "assistant":
                    self._append("assistant", self._marked(message, _assistant_blocks(message, where)))
                case "tool":
                    self._append("user", [self._result(message, where)])
                case _:
                    raise MalformedBody(f"{where}.role is not a role of Chat Completions.", param=f"{where}.role")
        self._finish()

    def _texts(self, message: JsonObject, where: str) -> list[JsonObject]:
        return self._marked(message, [_text(part, place) for part, place in parts_of(message.get("content"), where)])

    def _add_instructions(self, blocks: list[JsonObject]) -> None:
        blocks = [block for block in blocks if block["text"].strip()]
        if not self.out:
            self.system.extend(blocks)
        elif self._system_messages:
            self._append("system", blocks)
        else:
            self._append("user", [{**block, "text": f"<system>\n{block['text']}\n</system>"} for block in blocks])

    def _result(self, message: JsonObject, where: str) -> JsonObject:
        result: JsonObject = {
            "type": "tool_result",
            "tool_use_id": text_in(message, "tool_call_id", where),
        }
        content = message.get("content")
        if isinstance(content, str) and content:
            result["content"] = content
        else:
            _show_blocks(_user_blocks(content, f"{where}.content"), result)
        if message.get("cache_control"):
            result["cache_control"] = message["cache_control"]
        return result

    def _marked(self, message: JsonObject, blocks: list[JsonObject]) -> list[JsonObject]:
        """Move a cache marker of the message to its last block."""
        if message.get("cache_control") and blocks:
            blocks[-1]["cache_control"] = message["cache_control"]
        return blocks

    def _append(self, role: str, blocks: list[JsonObject]) -> None:
        blocks = [block for block in blocks if block["type"] != "text" or block["text"].strip()]
        if not blocks:
            return
        if self.out and self.out[-1]["role"] == role:
            self.out[-1]["content"].extend(blocks)
        else:
            self.out.append({"role": role, "content": blocks})

    def _finish(self) -> None:
        if not self.out and self.system:
            # Chat Completions allows requests with instructions only; Messages requires a message.
            self.out.append({"role": "user", "content": self.system})
            self.system = []
        for message in self.out:
            _results_first(message)
        last = self.out[-1] if self.out else None
        if last and last["role"] == "assistant" and last["content"][-1]["type"] == "text":
            last["content"][-1]["text"] = last["content"][-1]["text"].rstrip()  # Anthropic rejects it otherwise.


def _show_blocks(blocks: list[JsonObject], result: JsonObject) -> None:
    """Put blocks into a tool's result, whose cache marker is the last one's."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        result["content"] = blocks[0]["text"]
    elif blocks:
        marker = blocks[-1].get("cache_control")
        result["content"] = [{name: value for name, value in block.items() if name != "cache_control"} for block in blocks]
        if marker:
            result["cache_control"] = marker


def _results_first(message: JsonObject) -> None:
    """Put tool results before texts of the same turn, as Anthropic requires."""
    content = message["content"]
    if message["role"] == "user" and len(content) > 1 and any(block["type"] == "tool_result" for block in content):
        content.sort(key=lambda block: block["type"] != "tool_result")


def _assistant_blocks(message: JsonObject, where: str) -> list[JsonObject]:
    refuse_history(message, where, MESSAGES)
    blocks: list[JsonObject] = []
    content = message.get("content")
    if isinstance(content, str):
        blocks += _plain(content)
    else:
        blocks += [_said(part, place) for part, place in objects(content, f"{where}.content")]
    if message.get("refusal"):
        blocks.append({"type": "text", "text": text_in(message, "refusal", where)})
    calls = message.get("tool_calls")
    if calls is not None:
        blocks += [_call(call, place) for call, place in objects(calls, f"{where}.tool_calls")]
    return interleave(blocks_of_history(message), blocks)


def _said(part: JsonObject, where: str) -> JsonObject:
    if part.get("type") == "refusal":
        return {"type": "text", "text": text_in(part, "refusal", where)}
    return _text(part, where)


def _call(call: JsonObject, where: str) -> JsonObject:
    block: JsonObject = {"type": "tool_use", "id": text_in(call, "id", where)}
    if call.get("type") == "custom":
        custom, block["name"] = named_in(call, "custom", where)
        block["input"] = {FIELD: text_in(custom, "input", f"{where}.custom")}
    else:
        function, block["name"] = named_in(call, "function", where)
        block["input"] = arguments_object(function.get("arguments"))
    return _carry_marker(call, block)


def _user_blocks(content: object, where: str) -> list[JsonObject]:
    if isinstance(content, str):
        return _plain(content)
    return [_block(part, place) for part, place in objects(content, where)]


def _plain(text: str) -> list[JsonObject]:
    return [{"type": "text", "text": text}] if text else []


def _block(part: JsonObject, where: str) -> JsonObject:
    match kind_of(part, where):
        case "text":
            return _text(part, where)
        case "image_url":
            place = f"{where}.image_url"
            url = as_text(as_object(part.get("image_url"), place).get("url"), f"{place}.url")
            return _carry_marker(part, {"type": "image", "source": _image_source(url, place)})
        case "file":
            return _carry_marker(part, _document(object_in(part, "file", where), f"{where}.file"))
        case _:  # input_audio, and unknown parts.
            raise unsupported_kind(part, where, MESSAGES)


def _text(part: JsonObject, where: str) -> JsonObject:
    if kind_of(part, where) != "text":
        raise unsupported_kind(part, where, MESSAGES)
    return _carry_marker(part, {"type": "text", "text": text_in(part, "text", where)})


def _image_source(url: str, where: str) -> JsonObject:
    data = split_data_url(url)
    if data is not None:
        return {"type": "base64", "media_type": media_type_of(data[0]), "data": data[1]}
    if url.startswith("data:"):
        raise unsupported(where, MESSAGES)
    return {"type": "url", "url": url}


def _document(file: JsonObject, where: str) -> JsonObject:
    source: Any
    if file.get("file_url") is not None:
        source = {"type": "url", "url": text_in(file, "file_url", where)}
    elif file.get("file_data") is not None:
        data = split_data_url(text_in(file, "file_data", where))
        if data is None:
            raise MalformedBody(f"{where}.file_data must be a data URL in base64.", param=f"{where}.file_data")
        media_type = media_type_of(data[0], file.get("filename"))
        text = text_of_data(media_type, data[1])
        if text is not None:
            source = {"type": "text", "media_type": "text/plain", "data": text}
        elif media_type == "application/pdf":
            source = {"type": "base64", "media_type": media_type, "data": data[1]}
        else:
            raise unsupported(f"{where}.file_data", MESSAGES)
    else:  # file_id: OpenAI's storage.
        raise unsupported(f"{where}.file_id", MESSAGES)
    document: JsonObject = {"type": "document", "source": source}
    if isinstance(file.get("filename"), str):
        document["title"] = file["filename"]
    return document


def _carry_marker(part: JsonObject, block: JsonObject) -> JsonObject:
    """Carry a marker of the prompt cache: OpenRouter's spelling, which is Anthropic's, or OpenAI's."""
    if part.get("cache_control"):
        block["cache_control"] = part["cache_control"]
    elif part.get("prompt_cache_breakpoint"):
        block["cache_control"] = {"type": "ephemeral"}
    return block
