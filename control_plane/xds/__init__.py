"""IR -> Envoy resources and ext_proc's FilterConfig. Pure: values in, deterministic bytes out."""

from control_plane.xds.consistency import InconsistentGateway
from control_plane.xds.resources import Resource, Resources
from control_plane.xds.translate import translate

__all__ = ["InconsistentGateway", "Resource", "Resources", "translate"]
