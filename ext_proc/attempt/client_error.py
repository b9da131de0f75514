"""An error as the client would get it, and which of several tells the client most."""

from dataclasses import dataclass, replace
from math import inf
from typing import Final

import orjson

from ext_proc.apis.errors import error_body
from ext_proc.apis.provider_errors import parse_error
from ext_proc.apis.registry import spec_of

_MAX_DIGITS: Final = 9
MAX_KEPT_BYTES: Final = 4096
"""A longer body is told in short to the attempts that follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientError:
    """What one attempt has ended with."""

    status: int
    body: str
    """In the client's API."""
    retry_after: str = ""
    """The header's value; empty without one."""
    model: str = ""
    """Full name of the model that says so."""
    is_ours: bool = False
    """Whether these are the gateway's own words, of an upstream that said nothing fit to be told."""

    @property
    def wait_seconds(self) -> float:
        """For how long the model asks to be left alone; infinite if it does not say so, or by a date."""
        is_number = self.retry_after.isascii() and self.retry_after.isdigit()
        return int(self.retry_after[:_MAX_DIGITS]) if is_number else inf

    def shortened(self, client_api: str) -> "ClientError":
        """Return it without what would not fit into a header."""
        if len(self.body) <= MAX_KEPT_BYTES:
            return self
        error = parse_error(self.status, self.body.encode())
        return replace(self, body=orjson.dumps(error_body(error, spec_of(client_api).shape)).decode())


def most_useful(before: ClientError | None, now: ClientError) -> ClientError:
    """Choose what the client is told: when to come back, else that it may, else what a fallback has against the request."""
    return now if before is None else min(before, now, key=_rank)


def _rank(error: ClientError) -> tuple[int, bool, float]:
    return 0 if error.status == 429 else 1 if error.status >= 500 else 2, error.is_ours, error.wait_seconds
