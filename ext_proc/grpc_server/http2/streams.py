"""The state of one stream that both directions share."""

from collections import deque


class Stream:
    """Open until both ends have closed it, or one of them has reset it (RFC 9113, 5.1)."""

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
        """The peer's window in bytes; negative after its settings have reduced it."""
        self.receive_window = receive_window
        """Our window in bytes."""
        self.unreplenished = 0
        """Consumed bytes without a WINDOW_UPDATE so far."""
        self.unsent: deque[memoryview] = deque()
        self.last_block: bytes | None = None
        """The final header block, while data before it waits."""
        self.is_half_closed_remote = False
        """Whether the peer has ended its direction."""
        self.is_half_closed_local = False
        """Whether we have ended ours."""
