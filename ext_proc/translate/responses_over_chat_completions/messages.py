"""Input items of the Responses API -> messages of Chat Completions.

An assistant's reasoning, text and calls are separate items in Responses and one message in Chat Completions: consecutive
ones are joined. Tool results follow directly; parts that tool messages cannot contain follow these.
"""

from typing import Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.custom_tools import wrap
from ext_proc.translate.chat_completions.reasoning import POSITION
from ext_proc.translate.chat_completions.signatures import read_signature, sign_calls
from ext_proc.translate.chat_completions.tool_results import split_tool_result
from ext_proc.translate.json_fields import as_text, dump, kind_of, lone_text, objects, text_in, unsupported, unsupported_kind
from ext_proc.translate.provider_tools import leave_out
from ext_proc.translate.responses import compaction
from ext_proc.translate.responses.reasoning_items import detail_of_item, text_of_item
from ext_proc.translate.responses.tools import PROVIDERS_OWN, function_name
from ext_proc.translate.translation import CHAT_COMPLETIONS, Exchange

_MARKER: Final = "prompt_cache_breakpoint"
"""Marker of the prompt cache."""
_TEXTS: Final = ("input_text", "output_text", "text")
_CALLS: Final = frozenset({"function_call", "custom_tool_call", "shell_call", "local_shell_call", "apply_patch_call"})
"""Calls of tools that the client runs."""
_RESULTS: Final = frozenset(f"{call}_output" for call in _CALLS)
_OF_ASSISTANT: Final = frozenset({"message", "reasoning", *_CALLS})
"""Items that may belong to the current assistant's message."""


class ChatMessagesOfItems:
    """Collects the Chat Completions messages of one request."""

    def __init__(self, exchange: Exchange) -> None:
        self.out: list[JsonObject] = []
        self._quirks, self._is_lossless = exchange.quirks, exchange.is_lossless
        self._exchange = exchange
        self._where = ""
        """The current item."""
        self._signatures: dict[str, JsonObject] = {}
        self._shown: list[JsonObject] = []
        """Images and files of tool results, waiting for the last result."""

    def add_instructions(self, instructions: object) -> None:
        """Add the instructions, if there are any."""
        if instructions:
            self.out.append({"role": "system", "content": as_text(instructions, "instructions")})

    def add_all(self, given: object) -> None:
        """Add the input of a request."""
        if isinstance(given, str):
            self.out.append({"role": "user", "content": given})
            return
        items = list(objects([given] if isinstance(given, dict) else given, "input"))
        for index, (item, where) in enumerate(items):
            if item.get("type") == compaction.TRIGGER:
                compaction.require_last(index, len(items), where)
            self._add(item, where)
        self._sign()
        self._show()

    def _add(self, item: JsonObject, where: str) -> None:
        self._where = where
        kind = kind_of(item, where) if "type" in item else "message"
        if self._shown and kind not in _RESULTS:
            self._show()
        if kind not in _OF_ASSISTANT:
            self._sign()
        match kind:
            case "message":
                self._add_message(item, where)
            case _ if kind in _CALLS:
                self._add_call(kind, item, where)
            case _ if kind in _RESULTS:
                self._add_result(item, where)
            case "reasoning":
                self._add_reasoning(item)
            case compaction.TRIGGER | "compaction":
                is_trigger = kind == compaction.TRIGGER
                text = compaction.REQUEST if is_trigger else compaction.summary_of(item, where, CHAT_COMPLETIONS)
                self._append({"role": "user", "content": text})
            case "additional_tools" | "configuration_update":
                pass  # Read with the other tools, and with what the request asks for.
            case _ if kind in PROVIDERS_OWN:
                leave_out(kind, where, self._exchange, CHAT_COMPLETIONS)
            case _:
                raise unsupported_kind(item, where, CHAT_COMPLETIONS)

    def _add_message(self, item: JsonObject, where: str) -> None:
        match item.get("role"):
            case "user":
                self._sign()
                self._append({"role": "user", "content": self._said(item, "content", where)})
            case "system" | "developer":
                self._sign()
                # `developer` is OpenAI's name; every server supports `system`, which OpenAI treats the same.
                self._append({"role": "system", "content": self._said(item, "content", where)})
            case "assistant":
                self._say(item, where)
            case _:
                raise MalformedBody(f"{where}.role is not a role of the Responses API.", param=f"{where}.role")

    def _say(self, item: JsonObject, where: str) -> None:
        message = self._assistant()
        said = message["content"]
        if not said:
            message["content"] = self._said(item, "content", where)
            return
        before = said if isinstance(said, list) else [{"type": "text", "text": said}]
        message["content"] = self._content(before + self._parts(item, "content", where))

    def _add_call(self, kind: str, item: JsonObject, where: str) -> None:
        match kind:
            case "function_call":
                self._call(item, text_in(item, "arguments", where), where)
            case "custom_tool_call":
                self._call(item, wrap(text_in(item, "input", where)), where)
            case _:  # A tool that OpenAI defines: replaced by a function of its name.
                name = "operation" if kind == "apply_patch_call" else "action"
                arguments = dump(item.get(name) or {}, f"{where}.{name}")
                self._call({**item, "name": kind.removesuffix("_call")}, arguments, where)

    def _call(self, item: JsonObject, arguments: str, where: str) -> None:
        name = function_name(text_in(item, "name", where), item.get("namespace"))
        call = {
            "id": text_in(item, "call_id", where),
            "type": "function",
            "function": {"name": name, "arguments": arguments or "{}"},
        }
        self._exchange.note(call, where)
        self._assistant().setdefault("tool_calls", []).append(call)

    def _add_reasoning(self, item: JsonObject) -> None:
        signature = read_signature(item.get("encrypted_content"))
        if signature is not None:
            self._signatures.update([signature])
            return
        history = self._quirks.reasoning_history
        if history == "reasoning_content":
            text = text_of_item(item)
            if text:
                message = self._assistant()
                message["reasoning_content"] = message.get("reasoning_content", "") + text
        elif history == "reasoning_details":
            message = self._assistant()
            details = message.setdefault("reasoning_details", [])
            detail = detail_of_item(item, len(details))
            if detail is not None:
                if self._is_lossless:
                    detail[POSITION] = _said_so_far(message)
                details.append(detail)

    def _sign(self) -> None:
        """Restore the signatures of calls in the assistant's message that has just ended."""
        if self.out and self.out[-1]["role"] == "assistant" and self._quirks.call_signatures != "none":
            sign_calls(self.out[-1], self._signatures, are_required=self._quirks.call_signatures == "required")
        self._signatures = {}

    def _add_result(self, item: JsonObject, where: str) -> None:
        # What the oldest shell has said names its call in `id`.
        call = text_in(item, "id" if item["type"] == "local_shell_call_output" else "call_id", where)
        if item["type"] == "shell_call_output":
            item = {**item, "output": dump(item.get("output"), f"{where}.output")}
        text = lone_text(item.get("output"), marker=_MARKER, kinds=_TEXTS)
        if text is not None:
            self._append({"role": "tool", "tool_call_id": call, "content": text})
            return
        parts = self._parts(item, "output", where)
        held, others = split_tool_result(parts, call, rich=self._is_lossless)
        self._shown.extend(others)
        self._append({"role": "tool", "tool_call_id": call, "content": self._content(held)})

    def _show(self) -> None:
        if self._shown:
            self.out.append({"role": "user", "content": self._shown})
            self._shown = []

    def _append(self, message: JsonObject) -> None:
        self._exchange.note(message, self._where)
        self.out.append(message)

    def _assistant(self) -> JsonObject:
        """Return the current assistant's message."""
        if not self.out or self.out[-1]["role"] != "assistant":
            self._append({"role": "assistant", "content": None})
        return self.out[-1]

    def _said(self, item: JsonObject, name: str, where: str) -> str | list[JsonObject]:
        text = lone_text(item.get(name), marker=_MARKER, kinds=_TEXTS)
        return self._content(self._parts(item, name, where)) if text is None else text

    def _parts(self, item: JsonObject, name: str, where: str) -> list[JsonObject]:
        content = item.get(name)
        if isinstance(content, str):
            return [{"type": "text", "text": content}] if content else []
        return [self._part(part, place) for part, place in objects(content, f"{where}.{name}")]

    def _part(self, part: JsonObject, where: str) -> JsonObject:
        match kind_of(part, where):
            case "input_text" | "output_text" | "text":
                out: JsonObject = {"type": "text", "text": text_in(part, "text", where)}
            case "refusal":
                out = {"type": "text", "text": text_in(part, "refusal", where)}
            case "input_image":
                out = self._image(part, where)
            case "input_file":
                out = self._file(part, where)
            case "input_audio":
                out = {"type": "input_audio", "input_audio": part.get("input_audio")}
            case _:
                raise unsupported_kind(part, where, CHAT_COMPLETIONS)
        self._exchange.note(out, where)
        marker = part.get(_MARKER)
        if marker and self._quirks.cache_markers == "cache_control":
            out["cache_control"] = {"type": "ephemeral"}
        elif marker and self._quirks.cache_markers == "prompt_cache_breakpoint":
            out[_MARKER] = marker
        return out

    def _image(self, part: JsonObject, where: str) -> JsonObject:
        if part.get("image_url") is None:
            raise unsupported(f"{where}.file_id", CHAT_COMPLETIONS)
        image: JsonObject = {"url": text_in(part, "image_url", where)}
        if part.get("detail") is not None:
            image["detail"] = part["detail"]
        return {"type": "image_url", "image_url": image}

    def _file(self, part: JsonObject, where: str) -> JsonObject:
        file: JsonObject = {}
        if isinstance(part.get("filename"), str):
            file["filename"] = part["filename"]
        if part.get("file_data") is not None:
            file["file_data"] = part["file_data"]
        elif part.get("file_url") is not None and self._is_lossless:
            file["file_url"] = part["file_url"]
        else:
            name = "file_url" if part.get("file_url") is not None else "file_id"
            raise unsupported(f"{where}.{name}", CHAT_COMPLETIONS)
        return {"type": "file", "file": file}

    def _content(self, parts: list[JsonObject]) -> str | list[JsonObject]:
        if not parts:
            return ""
        if len(parts) == 1 and parts[0].keys() == {"type", "text"}:
            return str(parts[0]["text"])
        if self._quirks.joins_text and all(part["type"] == "text" for part in parts):
            return "\n".join(part["text"] for part in parts)
        return parts


def _said_so_far(message: JsonObject) -> int:
    """Return the number of texts and calls in an assistant's message."""
    content = message["content"]
    texts = len(content) if isinstance(content, list) else int(bool(content))
    return texts + len(message.get("tool_calls", ()))
