"""An error as the client would get it, and the selection of the most useful one."""

from dataclasses import dataclass, replace
from math import inf
from typing import Final

import orjson

from ext_proc.apis.errors import error_body
from ext_proc.apis.provider_errors import parse_error
from ext_proc.apis.registry import spec_of

_MAX_DIGITS: Final = 9
MAX_KEPT_BYTES: Final = 4096
"""A longer body is shortened in the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientError:
    """The error of one attempt."""

    status: int
    body: str
    """In the client's API."""
    retry_after: str = ""
    """The header's value; empty without one."""
    model: str = ""
    """Full name of the model with this error."""
    is_ours: bool = False
    """Whether it is the gateway's own message, because the upstream sent no usable one."""

    @property
    def wait_seconds(self) -> float:
        """The model's `retry-after` in seconds; infinite if there is none, or if it is a date."""
        is_number = self.retry_after.isascii() and self.retry_after.isdigit()
        return int(self.retry_after[:_MAX_DIGITS]) if is_number else inf

    def shortened(self, client_api: str) -> "ClientError":
        """Return it, shortened to fit into a header."""
        if len(self.body) <= MAX_KEPT_BYTES:
            return self
        error = parse_error(self.status, self.body.encode())
        return replace(self, body=orjson.dumps(error_body(error, spec_of(client_api).shape)).decode())


def most_useful(before: ClientError | None, now: ClientError) -> ClientError:
    """Choose the error for the client: with `retry-after`, else one that is retriable, else a fallback's rejection."""
    return now if before is None else min(before, now, key=_rank)


def _rank(error: ClientError) -> tuple[int, bool, float]:
    return 0 if error.status == 429 else 1 if error.status >= 500 else 2, error.is_ours, error.wait_seconds
