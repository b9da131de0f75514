"""The ApiSpec of Converse, which only upstreams use."""

from typing import Final

from ext_proc.apis.api import Api, ApiSpec
from ext_proc.apis.converse.events import ConverseReader
from ext_proc.apis.converse.usage import from_converse
from ext_proc.apis.errors import ProviderError
from ext_proc.codec.json_body import JsonObject


def _has_content(event: JsonObject) -> bool:
    return not event.keys().isdisjoint(("contentBlockStart", "contentBlockDelta", "messageStop"))


def _failure(_error: ProviderError, _number: int) -> tuple[JsonObject, ...]:
    return ()  # Never sent to a client.


CONVERSE: Final = ApiSpec(
    api=Api.CONVERSE,
    read_usage=from_converse,
    new_reader=ConverseReader,
    stream_type="application/vnd.amazon.eventstream",
    has_content=_has_content,
    failure=_failure,
)
