"""The xDS protocol: snapshots out to Envoys and ext_proc workers, their ACKs and NACKs in. State of the world, aggregated."""

from control_plane.ads.clients import Clients, ClientState, Nack, Observer
from control_plane.ads.publisher import Outcome, OutcomeKind, Publisher, Timing
from control_plane.ads.server import AdsServer
from control_plane.ads.snapshot import ResourceSet, Snapshot
from control_plane.ads.views import Views

__all__ = [
    "AdsServer",
    "ClientState",
    "Clients",
    "Nack",
    "Observer",
    "Outcome",
    "OutcomeKind",
    "Publisher",
    "ResourceSet",
    "Snapshot",
    "Timing",
    "Views",
]
