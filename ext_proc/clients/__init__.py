"""Adapters that implement the ports over real sockets."""
