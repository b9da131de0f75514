"""Turns headers of ext_proc's own calls into the dynamic metadata that the decide stage sets otherwise."""

from control_plane import ir
from control_plane.xds import api
from protos.contract.metadata import FORWARDED_METADATA_HEADERS, METADATA_NAMESPACE


def chains_of_models(gateway: ir.Gateway) -> frozenset[str]:
    """Return the names of the chains whose attempts need this metadata."""
    return frozenset(chain.name for chain in gateway.chains if chain.is_of_models)


def build_header_to_metadata() -> api.hcm.HttpFilter:
    """Build the filter that turns the headers into dynamic metadata, and removes them."""
    config = api.header_to_metadata.Config(request_rules=[_rule(key, name) for key, name in FORWARDED_METADATA_HEADERS.items()])
    return api.hcm.HttpFilter(name="plano.header_to_metadata", typed_config=api.pack(config))


def _rule(key: str, header: str) -> api.header_to_metadata.ConfigRule:
    present = api.header_to_metadata.ConfigKeyValuePair(metadata_namespace=METADATA_NAMESPACE, key=key)
    return api.header_to_metadata.ConfigRule(header=header, on_header_present=present, remove=True)
