"""Content blocks of Converse: each is an object with its kind as the only key."""

import hashlib
import re
from typing import Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.json_fields import unsupported
from ext_proc.translate.parts import media_type_of, split_data_url
from ext_proc.translate.translation import CONVERSE

_TOOL_USE_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")

_IMAGES: Final = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_VIDEOS: Final = {
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/x-matroska": "mkv",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/mpeg": "mpeg",
    "video/x-ms-wmv": "wmv",
    "video/3gpp": "three_gp",
}
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_DOCUMENTS: Final = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    f"{_OFFICE}.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    f"{_OFFICE}.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
_FORMATS: Final = {"image": _IMAGES, "video": _VIDEOS, "document": _DOCUMENTS}
_EXTENSIONS: Final = {"jpg": "jpeg", "3gp": "three_gp"}
"""File extensions that differ from Converse's formats."""


def cache_point(marker: object) -> JsonObject:
    """Return the block for a prompt cache marker, which follows the marked content."""
    ttl = marker.get("ttl") if isinstance(marker, dict) else None
    return {"cachePoint": {"type": "default", "ttl": ttl} if ttl else {"type": "default"}}


def media(kind: str, media_type: str, data: str, where: str, filename: object = None) -> JsonObject:
    """Return the content of an image, a video or a document, from base64 data.

    Raises:
        UnsupportedFeature: Converse does not know the format.
    """
    known = _FORMATS[kind].get(media_type_of(media_type, filename))
    if known is None:
        raise unsupported(where, CONVERSE)
    return {"format": known, "source": {"bytes": data}}


def media_of_url(kind: str, url: str, where: str, filename: object = None) -> JsonObject:
    """Return the same from a data URL, or from S3, the only source that Bedrock fetches from.

    Raises:
        UnsupportedFeature: it is neither.
    """
    data = split_data_url(url)
    if data is not None:
        return media(kind, *data, where, filename)
    extension = url.rpartition(".")[2].lower()
    known = _EXTENSIONS.get(extension, extension)
    if not url.startswith("s3://") or known not in _FORMATS[kind].values():
        raise unsupported(where, CONVERSE)
    return {"format": known, "source": {"s3Location": {"uri": url}}}


def tool_use_id(given: str) -> str:
    """Return an id of a call that Converse accepts: ids of other providers become stable digests."""
    return given if _TOOL_USE_ID.fullmatch(given) else hashlib.sha256(given.encode()).hexdigest()


def reasoning_block(block: JsonObject) -> JsonObject:
    """Return the block for a thinking block of Anthropic's API."""
    if block.get("type") == "redacted_thinking":
        return {"reasoningContent": {"redactedContent": block.get("data")}}
    return {"reasoningContent": {"reasoningText": {"text": block.get("thinking"), "signature": block.get("signature")}}}


def tool_result(call_id: str, content: list[JsonObject], *, is_error: bool, takes_status: bool) -> JsonObject:
    """Return the block for a tool's result; an empty one gets a note, because Converse requires content."""
    if is_error and not takes_status:
        # The model reads this word.
        if not content or "text" not in content[0]:
            content.insert(0, {"text": ""})
        content[0] = {"text": f"Error: {content[0]['text']}".strip()}
    result: JsonObject = {"toolUseId": tool_use_id(call_id), "content": content or [{"text": "(empty)"}]}
    if is_error and takes_status:
        result["status"] = "error"
    return {"toolResult": result}
