"""The pairs of client and upstream APIs, as data."""

from types import MappingProxyType
from typing import Final

from ext_proc.errors import UnsupportedFeature
from ext_proc.translate.chat_completions_over_converse import CHAT_COMPLETIONS_OVER_CONVERSE
from ext_proc.translate.chat_completions_over_messages import CHAT_COMPLETIONS_OVER_MESSAGES
from ext_proc.translate.chat_completions_over_responses import CHAT_COMPLETIONS_OVER_RESPONSES
from ext_proc.translate.messages_over_chat_completions import MESSAGES_OVER_CHAT_COMPLETIONS
from ext_proc.translate.messages_over_converse import MESSAGES_OVER_CONVERSE
from ext_proc.translate.pair import Pair, PairTranslation, compose
from ext_proc.translate.passthrough import Identity
from ext_proc.translate.responses_over_chat_completions import RESPONSES_OVER_CHAT_COMPLETIONS
from ext_proc.translate.translation import Exchange, Translation

_MESSAGES_OVER_RESPONSES: Final = compose(MESSAGES_OVER_CHAT_COMPLETIONS, CHAT_COMPLETIONS_OVER_RESPONSES)
_RESPONSES_OVER_MESSAGES: Final = compose(RESPONSES_OVER_CHAT_COMPLETIONS, CHAT_COMPLETIONS_OVER_MESSAGES)
_RESPONSES_OVER_CONVERSE: Final = compose(RESPONSES_OVER_CHAT_COMPLETIONS, CHAT_COMPLETIONS_OVER_CONVERSE)

_ALL: Final = (
    MESSAGES_OVER_CHAT_COMPLETIONS,
    CHAT_COMPLETIONS_OVER_MESSAGES,
    CHAT_COMPLETIONS_OVER_RESPONSES,
    _MESSAGES_OVER_RESPONSES,
    RESPONSES_OVER_CHAT_COMPLETIONS,
    _RESPONSES_OVER_MESSAGES,
    CHAT_COMPLETIONS_OVER_CONVERSE,
    MESSAGES_OVER_CONVERSE,
    _RESPONSES_OVER_CONVERSE,
)

PAIRS: Final = MappingProxyType({(pair.client_api, pair.upstream_api): pair for pair in _ALL})
"""(client API, upstream API) -> pair. An API over itself needs no entry."""


def supports(client_api: str, upstream_api: str) -> bool:
    """Whether a client of one API can be served by an upstream of another."""
    return client_api == upstream_api or (client_api, upstream_api) in PAIRS


def translation(client_api: str, upstream_api: str, exchange: Exchange) -> Translation:
    """Return the translation for one attempt at one exchange.

    Raises:
        UnsupportedFeature: there is none between the two.
    """
    if client_api == upstream_api:
        return Identity(client_api, exchange)
    pair: Pair | None = PAIRS.get((client_api, upstream_api))
    if pair is None:
        raise UnsupportedFeature(f"{client_api} cannot be served by a model that speaks {upstream_api}.", param="model")
    return PairTranslation(pair, exchange)
