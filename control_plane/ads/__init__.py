"""The xDS protocol: snapshots out to Envoys and ext_proc workers, their ACKs and NACKs in. State of the world, aggregated."""

from control_plane.ads.clients import Clients, ClientState, Observer, Refusal
from control_plane.ads.publisher import Outcome, OutcomeKind, Publisher, Timing
from control_plane.ads.server import AdsServer
from control_plane.ads.snapshot import ResourceSet, Snapshot
from control_plane.ads.views import Views

__all__ = [
    "AdsServer",
    "ClientState",
    "Clients",
    "Observer",
    "Outcome",
    "OutcomeKind",
    "Publisher",
    "Refusal",
    "ResourceSet",
    "Snapshot",
    "Timing",
    "Views",
]
