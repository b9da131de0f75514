"""Errors that prevent the gateway from starting, for display at the terminal."""


class CannotStart(Exception):
    """The gateway did not start; no process is left."""
