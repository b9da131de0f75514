from dataclasses import replace

from control_plane.xds.http_filters.retry_after import build_veto, longest_waits
from control_plane.xds.route.retry import build_retry_policy
from tests.kit import gateways


def test_waits_are_for_those_who_honour_them() -> None:
    gateway = gateways.gateway()
    impatient = replace(gateways.RETRY, honours_retry_after=False)
    listeners = tuple(
        replace(listener, routes=tuple(replace(route, retry=impatient) for route in listener.routes))
        for listener in gateway.listeners
    )
    silent = replace(gateway, listeners=listeners, egress=replace(gateway.egress, routes=()))
    assert longest_waits(silent) == {}
    assert longest_waits(gateway) == {"agent/weather": 1, "model/openai/gpt-4o": 1}
    assert build_retry_policy(listeners[0].routes[0]).rate_limited_retry_back_off is None
    assert build_veto(None) == []
    [veto] = build_veto(5)
    assert veto.name == "plano.retry_after"
