"""Name and type of the xDS resource that ext_proc subscribes to."""

from typing import Final

FILTER_CONFIG_TYPE_URL: Final = "type.googleapis.com/plano.v1.FilterConfig"
"""The xDS resource type of `protos/filter_config.proto`."""

FILTER_CONFIG_NAME: Final = "filter_config"
"""Name of the one resource of that type."""
