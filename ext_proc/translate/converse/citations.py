"""Citations of Converse -> citations of a message's text."""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.json_fields import as_list

_PLACES: Final = {
    "documentChar": ("char_location", {"start": "start_char_index", "end": "end_char_index"}),
    "documentPage": ("page_location", {"start": "start_page_number", "end": "end_page_number"}),
    "documentChunk": ("content_block_location", {"start": "start_block_index", "end": "end_block_index"}),
    "searchResultLocation": ("search_result_location", {"start": "start_block_index", "end": "end_block_index"}),
}


def citation(cited: object) -> JsonObject | None:
    """Return a citation in the form of Messages; None if Messages cannot express its location."""
    if not isinstance(cited, dict) or not isinstance(cited.get("location"), dict):
        return None
    [place] = list(cited["location"])[:1] or [""]
    if place not in _PLACES:
        return None
    kind, names = _PLACES[place]
    location: Any = cited["location"][place]
    if not isinstance(location, dict):
        return None
    out: JsonObject = {"type": kind, "cited_text": _cited_text(cited)}
    if place == "searchResultLocation":
        out |= {
            "search_result_index": location.get("searchResultIndex"),
            "source": cited.get("source"),
            "title": cited.get("title"),
        }
    else:
        out |= {"document_index": location.get("documentIndex"), "document_title": cited.get("title"), "file_id": None}
    return out | {name: location.get(given) for given, name in names.items()}


def cited_block(block: JsonObject) -> JsonObject:
    """Return the text block for a block of text with citations."""
    citations = [made for cited in as_list(block.get("citations"), "citations") if (made := citation(cited)) is not None]
    return {"type": "text", "text": cited_text(block), "citations": citations or None}


def cited_text(block: JsonObject) -> str:
    """Return the text of a block of text with citations."""
    return _joined(block.get("content"))


def _cited_text(cited: JsonObject) -> str:
    return _joined(cited.get("sourceContent"))


def _joined(parts: object) -> str:
    texts = (part.get("text") for part in as_list(parts, "content") if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))
