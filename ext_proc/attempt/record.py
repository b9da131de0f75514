"""What happened in one attempt, for the log and the metrics. Names are configured ones or constant words."""

from dataclasses import dataclass

from ext_proc.apis.usage import NO_USAGE, Usage
from ext_proc.attempt.failures import Failure

COMPLETED = "completed"
CUT_OFF = "cut_off"
"""The answer began, and ended before it was complete."""
CANNOT_CARRY = "cannot_carry"
"""The model's API has no place for what the request asks."""
BEGUN = "begun"
"""The answer began; how it went on was not looked at."""
GATEWAY_ERROR = "gateway_error"
"""Our own fault."""


@dataclass(slots=True)
class AttemptRecord:
    """Filled while the attempt runs."""

    model: str = ""
    """Configured name of the target."""
    upstream_model: str = ""
    """What its provider calls it: a client's word where all of a provider's models are served."""
    provider: str = ""
    api: str = ""
    client_api: str = ""
    request_id: str = ""
    session: str = ""
    """Key of the session that wants to know the usage, if there is one."""
    number: int = 0
    status: int = 0
    """What the upstream answered with."""
    outcome: str = Failure.UNANSWERED
    """One of the words above, or a Failure."""
    failed_over_from: str = ""
    """The model of the attempt before, if it was another."""
    failed_over_for: str = ""
    """Why that one failed."""
    first_token_seconds: float | None = None
    is_counted_elsewhere: bool = False
    """Whether the caller counts how the answer ends."""
    usage: Usage = NO_USAGE
    warnings: tuple[str, ...] = ()
    """What was left out of the request."""
    own_fault: str = ""
    """What of the gateway's configuration the provider refuses: `key`, `account` or `model`."""
    came: str = ""
    """What came in place of an answer: its type and its first characters."""
