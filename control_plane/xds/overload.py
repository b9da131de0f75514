"""Envoy's overload manager: limits of connections and memory, and the actions at the limits.

https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/overload_manager/overload_manager
"""

from typing import Final

from control_plane.xds import api

_HEAP: Final = "envoy.resource_monitors.fixed_heap"
_CONNECTIONS: Final = "envoy.resource_monitors.global_downstream_max_connections"
_TRACKED_BYTES: Final = 20
"""Minimum size of tracked stream buffers, as a power of two: 1 MiB."""
_RELEASED_BYTES: Final = 64 * 1024 * 1024
"""Free memory returned to the system per second, because retained memory counts as used."""


def build_overload_manager(*, max_connections: int, max_memory_bytes: int) -> api.overload.OverloadManager:
    """Build the overload manager; connections are those of clients to all listeners."""
    connections = api.connections_monitor.DownstreamConnectionsConfig(max_active_downstream_connections=max_connections)
    heap = api.heap_monitor.FixedHeapConfig(max_heap_size_bytes=max_memory_bytes)
    return api.overload.OverloadManager(
        refresh_interval=api.duration(0.1),
        resource_monitors=[
            api.overload.ResourceMonitor(name=_CONNECTIONS, typed_config=api.pack(connections)),
            api.overload.ResourceMonitor(name=_HEAP, typed_config=api.pack(heap)),
        ],
        actions=[
            _action("shrink_heap", api.overload.Trigger(name=_HEAP, threshold=_from(0.7))),
            # The largest streams first, and more of them as pressure grows.
            _action("reset_high_memory_stream", api.overload.Trigger(name=_HEAP, scaled=_between(0.8, 0.95))),
            _action("disable_http_keepalive", api.overload.Trigger(name=_HEAP, threshold=_from(0.9))),
            _action("stop_accepting_requests", api.overload.Trigger(name=_HEAP, threshold=_from(0.95))),
            _action("stop_accepting_connections", api.overload.Trigger(name=_HEAP, threshold=_from(0.98))),
        ],
        buffer_factory_config=api.overload.BufferFactoryConfig(minimum_account_to_track_power_of_two=_TRACKED_BYTES),
    )


def build_memory_release() -> api.bootstrap.MemoryAllocatorManager:
    """Build the bootstrap extension that returns free memory to the system."""
    return api.bootstrap.MemoryAllocatorManager(bytes_to_release=_RELEASED_BYTES, memory_release_interval=api.duration(1))


def _action(name: str, trigger: api.overload.Trigger) -> api.overload.OverloadAction:
    return api.overload.OverloadAction(name=f"envoy.overload_actions.{name}", triggers=[trigger])


def _from(share: float) -> api.overload.ThresholdTrigger:
    return api.overload.ThresholdTrigger(value=share)


def _between(first: float, full: float) -> api.overload.ScaledTrigger:
    return api.overload.ScaledTrigger(scaling_threshold=first, saturation_threshold=full)
