"""What stops the gateway from starting, worded for the person at the terminal."""


class CannotStart(Exception):
    """The gateway did not come up; nothing is left running."""
