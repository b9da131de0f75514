"""The aggregated xDS protocol, state of the world: sends snapshots to Envoy and ext_proc, and receives their ACKs and NACKs."""

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
