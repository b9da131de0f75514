"""Codecs of bodies and streams: JSON, SSE, event streams, compression. Pure."""
