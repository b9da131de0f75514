"""Citations of Converse -> of a message's text."""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.json_fields import as_list

_PLACES: Final = {
    "documentChar": ("char_location", {"start": "start_char_index", "end": "end_char_index"}),
    "documentPage": ("page_location", {"start": "start_page_number", "end": "end_page_number"}),
    "documentChunk": ("content_block_location", {"start": "start_block_index", "end": "end_block_index"}),
    "searchResultLocation": ("search_result_location", {"start": "start_block_index", "end": "end_block_index"}),
}


def citation(told: object) -> JsonObject | None:
    """Return a citation as a message has it; None for one whose place a message has no word for."""
    if not isinstance(told, dict) or not isinstance(told.get("location"), dict):
        return None
    [place] = list(told["location"])[:1] or [""]
    if place not in _PLACES:
        return None
    kind, names = _PLACES[place]
    location: Any = told["location"][place]
    if not isinstance(location, dict):
        return None
    out: JsonObject = {"type": kind, "cited_text": _cited_text(told)}
    if place == "searchResultLocation":
        out |= {
            "search_result_index": location.get("searchResultIndex"),
            "source": told.get("source"),
            "title": told.get("title"),
        }
    else:
        out |= {"document_index": location.get("documentIndex"), "document_title": told.get("title"), "file_id": None}
    return out | {name: location.get(given) for given, name in names.items()}


def cited_block(block: JsonObject) -> JsonObject:
    """Return the text block for a block of text with citations."""
    citations = [made for told in as_list(block.get("citations"), "citations") if (made := citation(told)) is not None]
    return {"type": "text", "text": cited_text(block), "citations": citations or None}


def cited_text(block: JsonObject) -> str:
    """Return the text of a block of text with citations."""
    return _joined(block.get("content"))


def _cited_text(told: JsonObject) -> str:
    return _joined(told.get("sourceContent"))


def _joined(parts: object) -> str:
    texts = (part.get("text") for part in as_list(parts, "content") if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))
