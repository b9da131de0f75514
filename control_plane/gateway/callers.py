"""`callers` and `listeners[].auth`: whose keys Envoy takes, and what ext_proc must know of those whom the keys belong to."""

from control_plane import ir
from control_plane.config.check.callers import callers_of, shown_at
from control_plane.config.model import Listener, PlanoConfig
from control_plane.ir import names
from protos import filter_config_pb2 as pb


def build_callers(config: PlanoConfig, listener: Listener) -> tuple[ir.Caller, ...] | None:
    """Build whom a listener lets in; None if it lets everybody in."""
    if not listener.asks_for_keys:
        return None
    callers = sorted(callers_of(config, listener.name), key=lambda caller: caller.name)
    return tuple(ir.Caller(name=caller.name, keys=shown_at(listener, caller)) for caller in callers)


def build_tls(listener: Listener) -> ir.DownstreamTls | None:
    """Build what a listener proves itself by."""
    if listener.tls is None:
        return None
    return ir.DownstreamTls(
        secret_name=names.certificate(listener.name),
        certificate_path=listener.tls.certificate,
        key_path=listener.tls.key,
        client_ca_path=listener.tls.client_ca or "",
    )


def build_permissions(config: PlanoConfig) -> list[pb.Caller]:
    """Build what callers may use; their keys are no business of ext_proc."""
    if not any(listener.asks_for_keys for listener in config.listeners):
        return []
    return [
        pb.Caller(
            name=caller.name,
            restricts_models=caller.models is not None,
            models=caller.models or (),
            restricts_agents=caller.agents is not None,
            agents=caller.agents or (),
        )
        for caller in sorted(config.callers, key=lambda caller: caller.name)
    ]
