"""What a connection takes from its peer, and what it may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Announced in SETTINGS where the protocol has a word for it."""

    max_streams: int = 2048
    """At the same time; beyond it a stream is refused, and the peer opens another connection."""
    stream_window_bytes: int = 1 << 24
    """Bytes of one request's body that may wait for its handler."""
    connection_window_bytes: int = 1 << 28
    """Bounds nothing but what is under way: it is opened again as data comes in, whatever becomes of that."""
    max_frame_bytes: int = 1 << 20
    max_header_bytes: int = 1 << 18
    """Size of one header block, compressed or not: of a client, and what the gateway has added."""
    max_idle_frames: int = 10_000
    """In a row: frames that are allowed and carry nothing (PING, SETTINGS, empty DATA, RST_STREAM, ...)."""
