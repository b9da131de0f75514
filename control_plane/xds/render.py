"""Renders resources as YAML for goldens, `plano dump` and the bootstrap: keys sorted, `Any` unpacked, secrets hidden."""

import re
from typing import Any, Final, cast

import betterproto2
import yaml
from google.protobuf import json_format

from control_plane.xds import api
from control_plane.xds.http_filters.native_path import SCRIPT
from protos import filter_config_pb2
from protos.contract.discovery import FILTER_CONFIG_TYPE_URL

_REDACTED: Final = "[redacted]"
_HIDDEN: Final = ("auth_password",)


def to_yaml(message: betterproto2.Message) -> str:
    """Render a message; `Any` is unpacked in place."""
    return _dump(_plain(message))


def resource_to_yaml(type_url: str, value: bytes) -> str:
    """Render a serialised resource of any type that `translate` makes."""
    if type_url == FILTER_CONFIG_TYPE_URL:
        config = filter_config_pb2.FilterConfig.FromString(value)
        return _dump(json_format.MessageToDict(config, preserving_proto_field_name=True))
    message_class = api.message_class(type_url)
    if message_class is None:
        raise ValueError(f"no resource type {type_url!r}")
    return to_yaml(message_class.parse(value))


def _plain(message: betterproto2.Message) -> dict[str, Any]:
    if isinstance(message, api.tls.Secret):
        return {"name": message.name, "generic_secret": {"secret": {"inline_string": _REDACTED}}}
    plain = message.to_dict(casing=cast("betterproto2.Casing", _as_declared))
    if isinstance(message, api.cluster.Cluster):
        _hide_passwords(plain)
    if isinstance(message, api.route.RouteConfiguration):
        _hide_keys(plain)
        _shorten_scripts(plain)
    return plain


def _hide_passwords(plain: dict[str, Any]) -> None:
    """Hide passwords in a cluster's protocol options."""
    for options in plain.get("typed_extension_protocol_options", {}).values():
        options.update({field: {"inline_string": _REDACTED} for field in _HIDDEN if field in options})


def _hide_keys(plain: dict[str, Any]) -> None:
    """Hide callers' keys."""
    for host in plain.get("virtual_hosts", []):
        for config in host.get("typed_per_filter_config", {}).values():
            for credential in config.get("credentials", []):
                credential["key"] = _REDACTED


def _shorten_scripts(plain: Any) -> None:
    """Show the tables of the native path, and not the script that looks them up."""
    if isinstance(plain, list):
        for value in plain:
            _shorten_scripts(value)
    if isinstance(plain, dict):
        for value in plain.values():
            _shorten_scripts(value)
        if str(code := plain.get("inline_string", "")).endswith(SCRIPT):
            plain["inline_string"] = code.replace(SCRIPT, "-- native_path.lua\n")


def _as_declared(name: str) -> str:
    """Keep a field's name: betterproto2's own snake case makes `consecutive_5_xx` of `consecutive_5xx`."""
    return name


def _dump(plain: dict[str, Any]) -> str:
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=True, default_flow_style=False, width=1000, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Also quotes `y` and `n`: they are booleans in YAML 1.1, which Envoy reads, but PyYAML does not quote them."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^[yYnN]$"), list("yYnN"))
