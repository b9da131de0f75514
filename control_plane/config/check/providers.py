"""Checks model providers: unique names, known addresses, and one way of authentication each."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from control_plane.config.check.finding import Finding, warning
from control_plane.config.model import ModelProvider, PlanoConfig
from control_plane.config.providers import PROVIDER_NAMES, Provider, find_provider, resolve_provider
from control_plane.config.source.paths import Path
from control_plane.config.suggest import suggest


def check_model_names(config: PlanoConfig) -> Iterator[Finding]:
    """Find models without a provider, and ambiguous names."""
    names: dict[str, int] = {}
    bare: dict[str, int] = {}
    for index, entry in enumerate(config.model_providers):
        path: Path = ("model_providers", index)
        if not entry.provider or not entry.upstream_model:
            message = (
                "should be written `provider/model`, such as `openai/gpt-4o`, or `openai/*` for all of them; "
                f"found `{entry.model}`"
            )
            yield Finding((*path, "model"), "bad-model", message)
            continue
        for field, name in (("model", entry.model), ("name", entry.name)):
            if name is not None and names.setdefault(name, index) != index:
                message = f"`{name}` is already what model_providers[{names[name]}] is called"
                yield Finding((*path, field), f"duplicate-{field}", message)
        if not entry.is_wildcard and bare.setdefault(entry.upstream_model, index) != index:
            yield from _ambiguous(path, entry, config.model_providers[bare[entry.upstream_model]])


def _ambiguous(path: Path, entry: ModelProvider, first: ModelProvider) -> Iterator[Finding]:
    if entry.model != first.model:
        message = f"`{entry.upstream_model}` without a provider means `{first.model}`; `{entry.model}` must be written in full"
        yield warning((*path, "model"), "ambiguous-model", message)


def check_default_provider(config: PlanoConfig) -> Iterator[Finding]:
    """Find several defaults, and defaults that are wildcards."""
    default: str | None = None
    for index, entry in enumerate(config.model_providers):
        if not entry.default:
            continue
        path = ("model_providers", index, "default")
        if entry.is_wildcard:
            yield Finding(path, "wildcard-default", f"`{entry.model}` stands for many models; the default must be one")
        if default is not None:
            yield Finding(path, "two-defaults", f"`{default}` is already the default; there can be one")
        default = default or entry.model


def check_provider_addresses(config: PlanoConfig) -> Iterator[Finding]:
    """Find providers without a known address or API."""
    for index, entry in enumerate(config.model_providers):
        path: Path = ("model_providers", index)
        known = find_provider(entry.provider)
        if known is None:
            yield from _own_provider(path, entry)
        else:
            yield from _known_provider(path, entry, known)


def _own_provider(path: Path, entry: ModelProvider) -> Iterator[Finding]:
    missing = [field for field in ("base_url", "provider_interface") if getattr(entry, field) is None]
    if missing and entry.provider and entry.upstream_model:
        message = f"`{entry.provider}` is no provider that the gateway knows"
        yield Finding(
            (*path, "model"),
            "unknown-provider",
            f"{message}, so it needs {' and '.join(missing)}{suggest(entry.provider, PROVIDER_NAMES)}",
        )


def _known_provider(path: Path, entry: ModelProvider, known: Provider) -> Iterator[Finding]:
    if entry.provider_interface is not None and not known.yields_to_interface:
        message = f"`{entry.provider}` is known; its interface is part of `model`, so leave this out"
        yield Finding((*path, "provider_interface"), "interface-of-known-provider", message)
    if known.base_url is None and entry.base_url is None:
        yield Finding((*path, "base_url"), "missing-base-url", f"`{known.id}` has no host of its own: `base_url` is required")


def check_credentials(config: PlanoConfig) -> Iterator[Finding]:
    """Find providers without a key, or with two ways of authentication."""
    for index, entry in enumerate(config.model_providers):
        path: Path = ("model_providers", index)
        if entry.passthrough_auth and entry.access_key is not None:
            message = "is not used: passthrough_auth sends the client's own credentials"
            yield warning((*path, "access_key"), "unused-key", message)
        provider = resolve_provider(entry.model, entry.provider_interface)
        yield from _aws(path, entry, provider)
        authenticated = (
            entry.access_key is not None or entry.passthrough_auth or entry.aws is not None or _has_credential(entry)
        )
        if provider is not None and provider.needs_key and entry.base_url is None and not authenticated:
            message = f"`{provider.id}` needs a key: write `access_key: $VARIABLE`, or `passthrough_auth: true`"
            yield Finding((*path, "access_key"), "missing-key", message)


def _aws(path: Path, entry: ModelProvider, provider: Provider | None) -> Iterator[Finding]:
    if entry.aws is None:
        return
    if provider is not None and provider.id != "amazon_bedrock":
        yield Finding(
            (*path, "aws"), "aws-elsewhere", f"`{provider.id}` takes no signatures of AWS; only `amazon_bedrock` does"
        )
    if entry.access_key is not None or entry.passthrough_auth:
        other = "access_key" if entry.access_key is not None else "passthrough_auth"
        yield Finding((*path, "aws"), "two-credentials", f"is one way of authentication, and `{other}` another: leave one out")
    if len({(urlsplit(instance.url).netloc) for instance in entry.instances}) > 1 and entry.http_host is None:
        yield Finding((*path, "aws"), "several-hosts", "signs for one host: write an entry for each, or `http_host`")


def _has_credential(entry: ModelProvider) -> bool:
    return any(name.lower() in ("authorization", "x-api-key", "api-key") for name in entry.headers)
