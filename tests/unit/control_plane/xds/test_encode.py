"""Our encoder writes what betterproto2 writes."""

import betterproto2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.xds import Resource, api, translate
from control_plane.xds.bootstrap import build_bootstrap
from control_plane.xds.encode import encode
from tests.kit import gateways

RESOURCES = [
    pytest.param(url, resource, id=f"{url.rpartition('.')[2]}-{resource.name}")
    for url, resources in translate(gateways.gateway()).by_type
    if api.message_class(url)
    for resource in resources
]


@pytest.mark.parametrize(("url", "resource"), RESOURCES)
def test_a_resource_is_written_as_betterproto2_writes_it(url: str, resource: Resource) -> None:
    message_class = api.message_class(url)
    assert message_class is not None
    assert bytes(message_class.parse(resource.value)) == resource.value


def test_a_bootstrap_is_written_as_betterproto2_writes_it() -> None:
    bootstrap = build_bootstrap(
        node_id="n", xds="xds:1", ext_proc=["[::1]:2", "unix:///x"], admin="127.0.0.1:3", stats="0.0.0.0:4"
    )
    assert encode(bootstrap) == bytes(bootstrap)


@given(
    st.builds(
        api.cluster.CircuitBreakersThresholds,
        max_connections=st.none() | st.integers(0, 2**32 - 1),
        track_remaining=st.booleans(),
    )
)
def test_wrapped_numbers_keep_the_difference_between_zero_and_absent(message: betterproto2.Message) -> None:
    assert encode(message) == bytes(message)
    assert api.cluster.CircuitBreakersThresholds.parse(encode(message)) == message


@given(
    st.floats(allow_nan=False), st.integers(-(2**63), 2**63 - 1), st.lists(st.integers(0, 2**32 - 1)), st.text(), st.binary()
)
def test_scalars_of_every_wire_type(double: float, int64: int, packed: list[int], text: str, data: bytes) -> None:
    for message in (
        api.type_v3.Percent(value=double),
        api.route.RetryPolicy(host_selection_retry_max_attempts=int64, retriable_status_codes=packed),
        api.core.DataSource(inline_string=text),
        api.core.DataSource(inline_bytes=data),
    ):
        assert encode(message) == bytes(message)


def test_maps_are_written_in_the_order_of_their_keys() -> None:
    shuffled = api.protobuf.Struct.from_dict({"b": 1, "a": {"d": [1, "x", None], "c": False}})
    ordered = api.protobuf.Struct.from_dict({"a": {"c": False, "d": [1, "x", None]}, "b": 1})
    assert encode(shuffled) == encode(ordered) == bytes(ordered)


def test_only_messages_are_known() -> None:
    assert all(issubclass(kind, betterproto2.Message) for kind in map(api.message_class, (api.CLUSTER, api.ROUTE)) if kind)
    assert api.message_class("type.googleapis.com/plano.v1.FilterConfig") is None
