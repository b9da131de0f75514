"""A value that must not be seen: it prints as `[redacted]` everywhere, and only `reveal` gives it away."""


class Secret:
    """Holds a secret string; equal to another by value, never shown by repr, str or format."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret, for Envoy's SDS and for nothing else."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "[redacted]"

    __str__ = __repr__
