"""One stream of a connection, as far as both of its directions need to know it."""

from collections import deque


class Stream:
    """Open, until both ends have said their last, or one of them has reset it (RFC 9113, 5.1)."""

    __slots__ = (
        "id",
        "is_half_closed_local",
        "is_half_closed_remote",
        "last_block",
        "receive_window",
        "send_window",
        "unreplenished",
        "unsent",
    )

    def __init__(self, stream_id: int, send_window: int, receive_window: int) -> None:
        self.id = stream_id
        self.send_window = send_window
        """Bytes that the peer still takes; negative after its settings took some away."""
        self.receive_window = receive_window
        """Bytes that the peer may still send."""
        self.unreplenished = 0
        """Bytes that are consumed, and that the peer has not been told of."""
        self.unsent: deque[memoryview] = deque()
        self.last_block: bytes | None = None
        """The header block that ends the answer, while data before it waits."""
        self.is_half_closed_remote = False
        """Whether the peer has ended its direction."""
        self.is_half_closed_local = False
        """Whether we have ended ours."""
