"""What answers cost, by Envoy's own arithmetic: a table of prices in each route table, and CEL that looks a model up there.

The table is the virtual host's metadata: another price changes routes, and no connection drains. The model is the one that has
answered, and its usage what `token_usage` found.
"""

from collections.abc import Collection
from typing import Any, Final

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.http_filters.token_usage import IS_KNOWN, USAGE
from protos import filter_config_pb2 as pb
from protos.contract.metadata import METADATA_ENTRY, METADATA_MODEL, METADATA_NAMESPACE

_NAMESPACE: Final = "plano.prices"
_MOST_TIERS: Final = 4
_NEVER: Final = 2.0**53
"""More tokens than any request has."""

_TABLE: Final = f"xds.virtual_host_metadata.filter_metadata['{_NAMESPACE}']"
_DECIDED: Final = f"metadata.filter_metadata['{METADATA_NAMESPACE}']"
_MODEL: Final = f"{_DECIDED}.{METADATA_MODEL}"
_PRICE: Final = f"{_TABLE}[{_MODEL} in {_TABLE} ? {_MODEL} : {_DECIDED}.{METADATA_ENTRY}]"

_INPUT: Final = f"double({USAGE}.input_tokens)"
_CACHED: Final = f"double({USAGE}.input_token_details.cached_tokens)"
_WRITTEN: Final = f"double({USAGE}.input_token_details.cache_creation_tokens)"
_OUTPUT: Final = f"double({USAGE}.output_tokens)"
_REASONING: Final = f"double({USAGE}.output_token_details.reasoning_tokens)"


def _rest(whole: str, parts: str) -> str:
    """Subtract; some providers count a token twice."""
    return f"({parts} > {whole} ? 0.0 : {whole} - ({parts}))"


def _tier(price_has_tiers: bool) -> str:
    chosen = "'tier_0'"
    for number in range(1, _MOST_TIERS if price_has_tiers else 1):
        chosen = f"{_INPUT} > {_PRICE}.above_{number} ? 'tier_{number}' : {chosen}"
    return chosen


def _millionths(prices: Collection[pb.ModelPrice]) -> str:
    """Return CEL of an answer's cost in millionths of a dollar; tiers, which cost time, only where there are any."""
    rates = f"{_PRICE}[{_tier(any(len(price.tiers) > 1 for price in prices))}]"
    counted = {
        "input": _rest(_INPUT, f"{_CACHED} + {_WRITTEN}"),
        "cached_input": _CACHED,
        "cache_write": _WRITTEN,
        "output": _rest(_OUTPUT, _REASONING),
        "reasoning": _REASONING,
    }
    return " + ".join(f"{tokens} * {rates}.{rate}" for rate, tokens in counted.items())


def build_cost(prices: Collection[pb.ModelPrice]) -> str:
    """Build the format of an answer's cost in dollars: `-` where its usage or its price is not known."""
    return f"%CEL(({_millionths(prices)}) / 1000000.0)%" if prices else "-"


def build_cost_nanodollars(prices: Collection[pb.ModelPrice]) -> str:
    """Build the same for a counter, which knows whole numbers only."""
    return f"%CEL(int(({_millionths(prices)}) * 1000.0 + 0.5))%"


IS_PRICED: Final = (
    f"{IS_KNOWN} && '{METADATA_NAMESPACE}' in metadata.filter_metadata && '{METADATA_MODEL}' in {_DECIDED}"
    f" && ({_MODEL} in {_TABLE} || {_DECIDED}.{METADATA_ENTRY} in {_TABLE})"
)
"""CEL: whether an answer's cost is known, where there are prices."""


def priced(listener: ir.Listener, gateway: ir.Gateway) -> Collection[pb.ModelPrice]:
    """Return the prices of what a listener serves: agents have none."""
    return gateway.filter_config.prices if listener.kind is ir.ListenerKind.MODEL else ()


def build_price_table(prices: Collection[pb.ModelPrice]) -> api.core.Metadata | None:
    """Build a virtual host's metadata; None if nothing has a price."""
    if not prices:
        return None
    table = {price.model: _row(price) for price in prices}
    return api.core.Metadata(filter_metadata={_NAMESPACE: api.protobuf.Struct.from_dict(table)})


def _row(price: pb.ModelPrice) -> dict[str, Any]:
    row: dict[str, Any] = {f"above_{number}": _NEVER for number in range(1, _MOST_TIERS)}
    for number, tier in enumerate(price.tiers):
        row |= {f"above_{number}": tier.above_tokens} if number else {}
        row[f"tier_{number}"] = {
            "input": tier.input,
            "cached_input": tier.cached_input,
            "cache_write": tier.cache_write,
            "output": tier.output,
            "reasoning": tier.reasoning,
        }
    return row
