"""Decides which providers receive the client's own credentials: the one that they are for, and none of its fallbacks."""

from urllib.parse import urlsplit

from control_plane.config.model import ModelProvider
from control_plane.config.providers import resolve_provider


def takes_clients_credentials(entry: ModelProvider) -> bool:
    """Whether a provider receives the client's own credentials: by `passthrough_auth`, or by default if it has no key."""
    provider = resolve_provider(entry.model, entry.provider_interface)
    by_nature = provider is not None and provider.client_authenticates and entry.access_key is None
    return entry.passthrough_auth or by_nature


def share_credentials(one: ModelProvider, other: ModelProvider) -> bool:
    """Whether a client's own credentials go to both or to neither: two models of one provider at the same hosts."""
    if not (takes_clients_credentials(one) or takes_clients_credentials(other)):
        return True
    both = takes_clients_credentials(one) and takes_clients_credentials(other)
    return both and one.provider == other.provider and _hosts(one) == _hosts(other)


def _hosts(entry: ModelProvider) -> set[str]:
    provider = resolve_provider(entry.model, entry.provider_interface)
    own = provider.base_url if provider is not None else None
    urls = [instance.url for instance in entry.instances] or [own or ""]
    return {_host(url) for url in urls}


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:  # another check reports it
        return url
