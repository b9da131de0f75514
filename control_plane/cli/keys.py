"""`plano keys`: keys for `callers`."""

import re
import secrets
from typing import Final

import click

_BYTES: Final = 32
_NOT_IN_VARIABLES: Final = re.compile(r"[^A-Z0-9]+")


@click.group()
def keys() -> None:
    """Make keys for callers."""


@keys.command()
@click.argument("name")
def new(name: str) -> None:
    """Make a key for the caller NAME, as a line of an environment file. It is kept nowhere, and shown this once."""
    if not (name.isascii() and name.isprintable() and name.strip()):
        raise click.ClickException("a caller's name is printable ASCII: it is sent in a header")
    variable = f"PLANO_KEY_{_NOT_IN_VARIABLES.sub('_', name.upper()).strip('_')}"
    click.echo(f"{variable}=sk-plano-{secrets.token_urlsafe(_BYTES)}")
    click.echo(
        f"Append the line to a file that only the gateway's user reads (chmod 600), or put it where your secrets are, so that "
        f"`plano up` has it in its environment; Envoy compares keys themselves, not hashes of them. Then add to `callers`:\n"
        f"  - {{name: {name}, keys: [${variable}]}}\n"
        f"To replace a key, list the new one beside the old one, and take the old one out when nobody uses it any more.",
        err=True,
    )
