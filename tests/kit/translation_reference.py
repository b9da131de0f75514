"""Renders docs/translation.md from the pairs, the golden cases and what is dropped, so that it cannot promise more."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from control_plane.config.providers import PROVIDERS
from control_plane.config.quirks import API_RULES, MODEL_RULES
from ext_proc.translate import dropped
from ext_proc.translate.registry import PAIRS
from protos.contract.apis import TRANSLATIONS
from protos.contract.quirks import Rule
from tests.clients.scenarios import CLIENTS, SAYS, STATUSES, UPSTREAMS
from tests.kit.translation_features import ApiPair, Feature, Outcome, cases, features, outcomes, refusal

_HEAD: Final = """# Translation

<!-- Generated from tests/golden/translate and ext_proc/translate by `make docs`; do not edit. -->

A client speaks the API that it knows; the provider of the model that is meant may speak another. Every client API works with
every upstream API, streaming and not. The provider is asked in the client's own API if it speaks it; otherwise in the first
that it speaks of:
"""

_SAME: Final = """
Where both sides speak the same API, the request reaches the provider byte for byte but for `model`, and its answer reaches the
client as it is. Embeddings and legacy completions pass through in this way only. Fields that a translation does not know are
carried over.

## Features

Each table is one client API. *carried*: golden cases under `tests/golden/translate` show it. *refused*: a 400 names the field,
because the upstream's API has no place for it; *in part*: some forms of it are refused. In brackets: no case of its own, but
the pair is two translations in a row, and this is what both do. Empty: one of the APIs does not have it.
"""

_OFFICIAL: Final = """
## Official clients

Each of these packages is a client of a real gateway before strict providers of each upstream API ({upstreams}),
whole and streamed, in `tests/clients`. It hears what they say: {says}.
A second turn brings back the results of parallel calls in order, an image, and reasoning with its signature. Structured output
is asked for. Statuses {statuses} raise the exceptions that the client's users expect, with
`retry-after`. Sessions as Claude Code and Codex have them run for a dozen turns with many tools.
"""

_REFUSED: Final = """
## Refused by name

What the cases show: the error is `unsupported_feature`, and its `param` the field.
"""

_DROPPED: Final = """
## Dropped on purpose

Tuning that the other API has no knob for. Nothing else is dropped. A pair of two translations in a row drops what both do.
"""

_LIMITS: Final = """
## Limits of APIs, models and providers

What the catalogue knows, as data: `control_plane/config/quirks.py` and `providers.py`. Later rows win, field by field, and
`quirks:` of an entry of `model_providers` wins over all of them; docs/configuration.md says what each field means. A model is
known by a pattern in the provider's name for it. `seen` is when, and `source` where, the limit was seen last;
rows marked `not verified` have no source yet.
"""
_IN_PART: Final = """
### Under a condition only
"""


def render_translation_reference() -> str:
    """Render the whole document."""
    return "\n".join(
        [
            _HEAD,
            *_table(
                ("client API", "upstream APIs, best first"), ((api, ", ".join(those)) for api, those in TRANSLATIONS.items())
            ),
            _SAME,
            *(line for api in TRANSLATIONS for line in _client(api)),
            _official(),
            *_table(("client API", "packages"), CLIENTS.items()),
            _REFUSED,
            *_table(("client over upstream", "field", "case"), _refusals()),
            _DROPPED,
            *(line for pair in sorted(PAIRS) for line in _drops(pair)),
            _IN_PART,
            *_table(("what", "when"), dropped.IN_PART.items()),
            _LIMITS,
            *_table(("provider", "models", "APIs", "limits", "seen", "source"), _limits()),
            "",
        ]
    )


def _limits() -> Iterator[tuple[str, ...]]:
    """Yield what the catalogue knows of APIs, of models and of providers."""
    yield from (_limit("", rule) for rule in (*API_RULES, *MODEL_RULES))
    yield from (_limit(provider.id, rule) for provider in PROVIDERS for rule in provider.quirks)


def _limit(provider: str, rule: Rule) -> tuple[str, ...]:
    told = ", ".join(f"`{name}: {_plain(value)}`" for name, value in rule.quirks.items())
    models = f"`{rule.models}`".replace("|", "\\|") if rule.models else ""
    return (provider, models, ", ".join(rule.apis), told.replace("|", "\\|"), rule.since, rule.source or "not verified")


def _plain(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def _official() -> str:
    return _OFFICIAL.format(
        upstreams=", ".join(UPSTREAMS), says=", ".join(SAYS), statuses=", ".join(str(status) for status in STATUSES)
    )


def _client(client: str) -> Iterator[str]:
    upstreams = TRANSLATIONS[client]
    yield f"### {client}\n"
    rows = ((feature.title, *(_cell((client, upstream), feature) for upstream in upstreams)) for feature in features())
    yield from _table(("", *(f"over {upstream}" for upstream in upstreams)), (row for row in rows if set(row[1:]) != {""}))
    yield ""


def _cell(pair: ApiPair, feature: Feature) -> str:
    own = outcomes(pair, feature)
    if own:
        return _word(own)
    through = PAIRS[pair].through
    if not through:
        return ""
    halves = [outcomes((pair[0], through), feature), outcomes((through, pair[1]), feature)]
    if halves[0] == {"refused"} or all(halves):
        return f"({_word(halves[0] if halves[0] == {'refused'} else halves[0] | halves[1])})"
    return ""


def _word(found: set[Outcome]) -> str:
    return "in part" if len(found) > 1 else next(iter(found))


def _refusals() -> Iterator[tuple[str, ...]]:
    for pair in sorted(PAIRS):
        for case in cases(pair, "requests"):
            told = refusal(case)
            if told:
                name = case.name.split(".")[0].removeprefix("unsupported_").replace("_", " ")
                yield " over ".join(pair), f"`{told['unsupported']}`", name


def _drops(pair: ApiPair) -> Iterator[str]:
    table: Mapping[str, str] | None = getattr(dropped, "_OVER_".join(pair).upper(), None)
    if table:
        yield f"### {' over '.join(pair)}\n"
        yield from _table(("field", "why"), ((f"`{name}`", reason) for name, reason in table.items()))
        yield ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(head)
    yield _row(tuple("---" for _ in head))
    for row in rows:
        yield _row(row)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
