"""Where attempts can go, and what is made of the APIs there. Made by `compile_attempts`."""

from dataclasses import dataclass, field

from ext_proc.translate.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """How one API of a model's provider is reached, and what the provider makes of it."""

    path: str
    """`{model}` stands for the upstream model."""
    profile: Profile = field(default_factory=Profile)


@dataclass(frozen=True, slots=True)
class Member:
    """One place of a chain."""

    model: str
    """Configured name."""
    api: str
