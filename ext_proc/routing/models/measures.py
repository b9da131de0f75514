"""The last known prices and latencies of models.

Sources spell names differently: `anthropic/claude-sonnet-4-5`, `claude-sonnet-4-5-20250929`,
`anthropic-claude-4.5-sonnet`. A model is looked up by its exact names first; then loosely, by its words in any order, without
host, maker and date.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Generic, TypeVar

from ext_proc.routing.models.resolve import ResolvedModel

Value = TypeVar("Value")

CATALOGUE_NAMES: Final = {
    "amazon_bedrock": "amazon-bedrock",
    "azure_openai": "azure",
    "gemini": "google",
    "qwen": "alibaba",
    "together_ai": "togetherai",
    "zhipu": "zhipuai",
}
"""Catalogues' names of providers -> the configuration's."""

_DATE: Final = re.compile(r"[-@](?:20\d{6}|20\d\d-\d\d-\d\d)(?=$|[-:@])")
_WORD: Final = re.compile(r"[a-z]+|\d+")
_MAKERS: Final = frozenset(
    {"alibaba", "anthropic", "deepseek", "google", "meta", "mistralai", "moonshotai", "openai", "xai", "zai"}
)
"""First words of an id that name the maker."""


@dataclass(frozen=True, slots=True)
class Price:
    """In US dollars per million tokens."""

    input: float
    output: float
    cached_input: float | None = None
    """Input that the provider has in its cache; None if the source does not say."""

    @property
    def total(self) -> float:
        """The price by which models are compared."""
        return self.input + self.output


class Known(Generic[Value]):
    """Values by a source's names of models."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        """Index `values`; if several names loosely match one model, the most frequent value counts, or the first."""
        self.exact = dict(values)
        alike: defaultdict[str, Counter[Value]] = defaultdict(Counter)
        for name, value in values.items():
            alike[loosely(name)][value] += 1
        self._loose = {name: counted.most_common(1)[0][0] for name, counted in alike.items()}

    def find(self, model: ResolvedModel) -> Value | None:
        """Look a model up."""
        for name in _names(model):
            if name in self.exact:
                return self.exact[name]
        return self._loose.get(loosely(model.upstream_model or model.name))


@dataclass(slots=True)
class Measures:
    """The current prices and latencies."""

    prices: Known[Price] = field(default_factory=lambda: Known({}))
    latencies: Known[float] = field(default_factory=lambda: Known({}))

    def price(self, model: ResolvedModel) -> Price | None:
        """Return a model's price; None if it is unknown."""
        return self.prices.find(model)

    def cost(self, model: ResolvedModel) -> float | None:
        """Return the price by which models are compared: that of input and output together."""
        price = self.prices.find(model)
        return None if price is None else price.total

    def latency(self, model: ResolvedModel) -> float | None:
        """Return the latency, in the unit of the source's query."""
        return self.latencies.find(model)


@lru_cache(maxsize=4096)
def loosely(name: str) -> str:
    """Return the words of a model's id, sorted, without the part before a slash, its maker, and a date."""
    words: list[str] = _WORD.findall(_DATE.sub("", name.lower().rpartition("/")[2]))
    return " ".join(sorted(words[1:] if len(words) > 1 and words[0] in _MAKERS else words))


def _names(model: ResolvedModel) -> Iterator[str]:
    provider, upstream_model = model.model.provider, model.upstream_model
    yield model.name
    yield f"{provider}/{upstream_model}"
    if provider in CATALOGUE_NAMES:
        yield f"{CATALOGUE_NAMES[provider]}/{upstream_model}"
    yield upstream_model
