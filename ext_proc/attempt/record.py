"""The record of one attempt for log and metrics. Names are configured ones or constants."""

from dataclasses import dataclass

from ext_proc.apis.usage import NO_USAGE, Usage
from ext_proc.attempt.failures import Failure

COMPLETED = "completed"
CUT_OFF = "cut_off"
"""The answer broke off."""
CANNOT_CARRY = "cannot_carry"
"""The model's API cannot carry the request."""
BEGUN = "begun"
"""The answer began; its end was not observed."""
GATEWAY_ERROR = "gateway_error"
"""An internal error."""


@dataclass(slots=True)
class AttemptRecord:
    """Filled while the attempt runs."""

    model: str = ""
    """Configured name of the target."""
    upstream_model: str = ""
    """The provider's name of the model, which is from the client for a wildcard."""
    provider: str = ""
    api: str = ""
    client_api: str = ""
    request_id: str = ""
    session: str = ""
    """Key of the session that records the usage, if there is one."""
    number: int = 0
    status: int = 0
    """Status of the upstream's answer."""
    outcome: str = Failure.UNANSWERED
    """One of the constants above, or a Failure."""
    failed_over_from: str = ""
    """The model of the previous attempt, if it differs."""
    failed_over_for: str = ""
    """The reason of its failure."""
    first_token_seconds: float | None = None
    is_counted_elsewhere: bool = False
    """Whether the caller counts the end of the answer."""
    usage: Usage = NO_USAGE
    warnings: tuple[str, ...] = ()
    """Parts that were omitted from the request."""
    own_fault: str = ""
    """Part of the gateway's configuration that the provider rejects: `key`, `account` or `model`."""
    came: str = ""
    """Content type and first characters of an unreadable answer."""
