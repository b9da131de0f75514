"""Limits of a connection."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a connection, announced in SETTINGS if the protocol has a setting."""

    max_streams: int = 2048
    """Maximum of concurrent streams; further ones are refused, and the peer opens another connection."""
    stream_window_bytes: int = 1 << 24
    """Bytes of one request's body that may wait for its handler."""
    connection_window_bytes: int = 1 << 28
    """Window of the connection, which only bounds data in flight: it is replenished on receipt."""
    max_frame_bytes: int = 1 << 20
    max_header_bytes: int = 1 << 18
    """Size of one header block, compressed or not: of a client, and what the gateway has added."""
    max_idle_frames: int = 10_000
    """Maximum of consecutive frames without content (PING, SETTINGS, empty DATA, RST_STREAM, ...)."""
