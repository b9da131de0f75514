"""What the golden cases of translations show: which features each pair of APIs carries, and what it refuses by name.

A case's name says what it is about; a feature is a pattern of names. A case that matches none is a feature of its own.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import orjson

from ext_proc.translate.registry import PAIRS
from tests.kit.golden import GOLDEN_ROOT, golden_id, golden_inputs, golden_path

ROOT: Final = GOLDEN_ROOT / "translate"
ASPECTS: Final = {"requests": "upstream", "responses": "client", "errors": "client", "streams": "client"}
"""What is translated -> the view that its golden files show."""

Outcome = Literal["carried", "refused"]
ApiPair = tuple[str, str]
"""(client API, upstream API)."""


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that clients and providers say to each other."""

    title: str
    pattern: str
    """Pattern of the names of its cases."""
    needed_in: tuple[str, ...] = ()
    """Aspects in which every pair must have a case of it."""


_BOTH: Final = ("responses", "streams")
_ALL: Final = ("requests", *_BOTH)

FEATURES: Final = (
    Feature("text, instructions, roles", r"^(text|roles|system|defaults|empty$|no_usage)", _ALL),
    Feature("several tools, parallel calls, results in order", r"(^|_)tools(_|$)|history|arguments|^same_index", _ALL),
    Feature("choice of tools", r"^tool_choice", ("requests",)),
    Feature("custom tools", r"^custom_tool"),
    Feature("images", r"images|image_id", ("requests",)),
    Feature("documents and files", r"documents|files|file_|document_", ("requests",)),
    Feature("audio", r"audio"),
    Feature("reasoning, with signatures", r"reasoning|thinking", _ALL),
    Feature("structured output", r"structured_output|json_object", ("requests",)),
    Feature("markers of the prompt cache", r"^cache_markers"),
    Feature("refusals, content filters", r"refusal|content_filter", _BOTH),
    Feature("answers cut short by a limit", r"truncated|length|context_window", _BOTH),
    Feature("stop sequences", r"stop_sequence|unsupported_stop$"),
    Feature("usage: cached, cache writes, reasoning", r"usage_(with|on|not)|refuses_options", ()),
    Feature("citations", r"citations"),
    Feature("keep-alives", r"pings|keep_alive"),
    Feature("streams that break or fail", r"cut_off|midway|error_first|error_event|failed", ("streams",)),
    Feature("streams with irregularities", r"no_message_stop|data_without|no_done|no_metadata|blocks_without|unknown_events"),
    Feature("temperature and top_p", r"^sampling"),
    Feature("accounting: ids of users", r"user_id"),
    Feature("tools that the provider runs", r"server_tool|web_search|mcp_servers|shell_"),
    Feature("compaction of long conversations", r"compaction"),
    Feature("changes of configuration midway", r"configuration_update"),
    Feature("state that the provider keeps", r"previous_response|item_reference|background"),
    Feature("names in `anthropic-beta`", r"^betas"),
    Feature("several choices", r"several_choices"),
    Feature("probabilities of tokens", r"logprobs"),
)

ERRORS: Final = Feature("errors: status, type, code, message", r"", ("errors",))


def outcomes(pair: ApiPair, feature: Feature) -> set[Outcome]:
    """Tell what the cases of one pair say about a feature; empty if there is none."""
    aspects = feature.needed_in if feature is ERRORS else tuple(aspect for aspect in ASPECTS if aspect != "errors")
    found = (case for aspect in aspects for case in cases(pair, aspect) if re.search(feature.pattern, golden_id(case)))
    return {"refused" if refusal(case) else "carried" for case in found}


def cases(pair: ApiPair, aspect: str) -> list[Path]:
    """List the inputs of one pair."""
    folder = ROOT / aspect / "_over_".join(pair)
    return golden_inputs(folder) if folder.is_dir() else []


def refusal(case: Path) -> dict[str, str] | None:
    """Return what a case refuses (`unsupported` names the field), None if it carries it."""
    if case.parts[-3] != "requests":
        return None
    told: dict[str, str] = orjson.loads(golden_path(case, "upstream", "json").read_bytes())
    return told if "unsupported" in told else None


def features() -> list[Feature]:
    """List all features, those last that only the name of a case tells."""
    names = {golden_id(case) for pair in PAIRS for aspect in ASPECTS if aspect != "errors" for case in cases(pair, aspect)}
    others = sorted(name for name in names if not any(re.search(feature.pattern, name) for feature in FEATURES))
    return [*FEATURES, *(Feature(name.removeprefix("unsupported_").replace("_", " "), f"^{name}$") for name in others), ERRORS]


def missing(pair: ApiPair) -> list[str]:
    """List what every pair must have a case of, and this one has not."""
    return [
        f"{aspect}: {feature.title}"
        for feature in (*FEATURES, ERRORS)
        for aspect in feature.needed_in
        if not any(re.search(feature.pattern, golden_id(case)) for case in cases(pair, aspect))
    ]
