"""What Amazon Bedrock refuses of a Converse request: what its API's model says (botocore's `bedrock-runtime`), and Claude."""

import re
from collections.abc import Iterator
from typing import Any, Final

Json = dict[str, Any]

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CALL_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_DOCUMENT: Final = re.compile(r"[A-Za-z0-9\-()\[\]]+(?:\s[A-Za-z0-9\-()\[\]]+)*")
_LABEL: Final = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,\-.]{0,256}")
_FIELDS: Final = frozenset(
    """
    messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables
    additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig projectIdentifier
    """.split()  # noqa: SIM905
)
_LIMITS: Final = frozenset({"maxTokens", "temperature", "topP", "stopSequences"})
_MEDIA: Final = frozenset({"image", "document", "video", "audio"})
_KINDS: Final = {
    "user": _MEDIA | {"text", "toolResult", "cachePoint", "guardContent", "searchResult"},
    "assistant": frozenset({"text", "toolUse", "reasoningContent", "cachePoint", "citationsContent"}),
}
_IN_RESULTS: Final = frozenset({"text", "json", "image", "document", "video", "searchResult"})
_FORMATS: Final = {
    "image": frozenset({"png", "jpeg", "gif", "webp"}),
    "document": frozenset({"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"}),
}


def converse_problems(body: Json) -> Iterator[str]:
    """Say what Bedrock would refuse."""
    if more := sorted(set(body) - _FIELDS):
        yield f"unknown fields: {more}"
    if more := sorted(set(body.get("inferenceConfig", {})) - _LIMITS):
        yield f"unknown limits: {more}"
    labels = body.get("requestMetadata", {"a": "a"})
    if not 1 <= len(labels) <= 16 or not all(_LABEL.fullmatch(text) for pair in labels.items() for text in pair):
        yield "labels that are none"
    yield from _tools(body)
    yield from _turns(body)


def _tools(body: Json) -> Iterator[str]:
    config = body.get("toolConfig")
    if config is None:
        return
    specs = [tool["toolSpec"] for tool in config["tools"] if "toolSpec" in tool]
    if not specs:
        yield "no tools"
    for spec in specs:
        if not _NAME.fullmatch(spec["name"]) or spec.get("description") == "":
            yield f"a tool without a name or with an empty description: {spec['name']!r}"
        if spec["inputSchema"]["json"].get("type") != "object":
            yield f"the schema of {spec['name']} is not one of an object"
    if "toolChoice" in config and "tool_choice" in body.get("additionalModelRequestFields", {}):
        yield "the additional field tool_choice conflicts with the existing field toolConfig.toolChoice"


def _turns(body: Json) -> Iterator[str]:
    waiting: list[str] = []
    names: list[str] = []
    for block in body.get("system", ()):
        yield from _text(block, "system")
    for index, message in enumerate(body["messages"]):
        where, role = f"messages[{index}]", message["role"]
        if role != ("user", "assistant")[index % 2]:
            yield f"{where} does not alternate"
        yield from _turn(message, where, waiting)
        waiting = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
        names += [block["document"]["name"].lower() for block in message["content"] if "document" in block]
        if "toolConfig" not in body and any(block.keys() & {"toolUse", "toolResult"} for block in message["content"]):
            yield "the toolConfig field must be defined when using toolUse and toolResult content blocks"
    if waiting:
        yield f"the last calls have no result: {waiting}"
    if len(set(names)) < len(names):
        yield "duplicate document names"


def _turn(message: Json, where: str, waiting: list[str]) -> Iterator[str]:
    content = message["content"]
    if not content:
        yield f"{where} is empty"
    results = [block["toolResult"] for block in content if "toolResult" in block]
    said = [block for block in content if "cachePoint" not in block]
    if sorted(result["toolUseId"] for result in results) != sorted(waiting):
        yield f"{where} must have the results of {waiting}"
    if any("toolResult" not in block for block in said[: len(results)]):
        yield f"{where} must begin with its results"
    if any("document" in block for block in content) and not any("text" in block for block in content):
        yield f"{where} has a document and no text"
    for block in content:
        yield from _block(block, _KINDS[message["role"]], where)


def _block(block: Json, allowed: frozenset[str], where: str) -> Iterator[str]:
    if len(block) != 1 or not block.keys() <= allowed:
        yield f"{where} has a block of {sorted(block)}"
    yield from _text(block, where)
    for kind, formats in _FORMATS.items():
        if kind in block and (block[kind]["format"] not in formats or len(block[kind]["source"]) != 1):
            yield f"{where} has a broken {kind}"
    if "document" in block and not _DOCUMENT.fullmatch(block["document"]["name"]):
        yield f"{where} has a document called {block['document']['name']!r}"
    call = block.get("toolUse") or block.get("toolResult")
    if call and not _CALL_ID.fullmatch(call["toolUseId"]):
        yield f"{where} has a call of the id {call['toolUseId']!r}"
    if "toolUse" in block and not isinstance(block["toolUse"]["input"], dict):
        yield f"{where} has arguments that are no object"
    if "toolResult" in block:
        for inner in block["toolResult"]["content"] or [{}]:
            yield from _block(inner, _IN_RESULTS, f"{where}.toolResult")


def _text(block: Json, where: str) -> Iterator[str]:
    if "text" in block and not block["text"].strip():
        yield f"{where} has a blank text"
