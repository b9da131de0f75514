"""A secret value: it prints as `[redacted]`, and only `reveal` returns it."""


class Secret:
    """Holds a secret string; equal to another by value, never shown by repr, str or format."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret, only for Envoy's SDS."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "[redacted]"

    __str__ = __repr__
