"""Where a client's own credentials go: to the provider that they are meant for, and to nobody who stands in for it."""

from urllib.parse import urlsplit

from control_plane.config.model import ModelProvider
from control_plane.config.providers import resolve_provider


def takes_clients_credentials(entry: ModelProvider) -> bool:
    """Whether a provider is sent the client's own credentials: asked for, or its way where there is no key."""
    provider = resolve_provider(entry.model, entry.provider_interface)
    by_nature = provider is not None and provider.client_authenticates and entry.access_key is None
    return entry.passthrough_auth or by_nature


def share_credentials(one: ModelProvider, other: ModelProvider) -> bool:
    """Whether a client's own credentials may go to both, or to neither: one provider's two models at the same hosts."""
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
    except ValueError:  # found wrong elsewhere
        return url
