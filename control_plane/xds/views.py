"""Views of the resources of one configuration, for `plano dump --view clusters` and the golden files."""

from typing import Final

from control_plane.xds import api
from control_plane.xds.render import resource_to_yaml
from control_plane.xds.resources import Resources
from protos.contract.discovery import FILTER_CONFIG_TYPE_URL

VIEWS: Final = {
    "clusters": api.CLUSTER,
    "endpoints": api.ENDPOINT,
    "filter": FILTER_CONFIG_TYPE_URL,
    "listeners": api.LISTENER,
    "routes": api.ROUTE,
    "secrets": api.SECRET,
}
"""View -> the type of resource that it shows."""


def render_view(resources: Resources, view: str) -> str:
    """Render all resources of one view as YAML documents, sorted by name, secrets redacted."""
    type_url = VIEWS[view]
    return "---\n".join(resource_to_yaml(type_url, resource.value) for resource in resources.of(type_url))
