from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.ads import types
from control_plane.ads.snapshot import NOTHING, ResourceSet, Snapshot
from control_plane.xds import api
from tests.ads.world import snapshot


def test_type_urls_are_envoys() -> None:
    ours = (types.CLUSTER, types.ENDPOINT, types.LISTENER, types.ROUTE, types.SECRET)
    assert ours == (api.CLUSTER, api.ENDPOINT, api.LISTENER, api.ROUTE, api.SECRET)


@given(st.dictionaries(st.text(max_size=5), st.binary(max_size=5)), st.randoms())
def test_the_order_of_resources_never_shows(values: dict[str, bytes], random: Random) -> None:
    shuffled = list(values.items())
    random.shuffle(shuffled)
    assert ResourceSet.of(dict(shuffled)).version == ResourceSet.of(values).version
    assert list(ResourceSet.of(dict(shuffled)).values) == sorted(values)


@pytest.mark.parametrize(
    ("one", "other"),
    [({"a": b"bc"}, {"ab": b"c"}), ({"a": b"", "b": b""}, {"a": b"b"}), ({}, {"a": b""}), ({"1": b""}, {"": b"1"})],
)
def test_different_contents_have_different_versions(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert ResourceSet.of(one).version != ResourceSet.of(other).version


def test_of_two_resources_with_one_name_a_union_takes_the_newer() -> None:
    union = ResourceSet.of({"a": b"1", "b": b"1"}).union(ResourceSet.of({"b": b"2", "c": b"2"}))
    assert dict(union.values) == {"a": b"1", "b": b"2", "c": b"2"}


def test_a_snapshot_says_which_types_changed() -> None:
    one, other = snapshot(clusters={"a": b"1"}, listeners={"l": b"1"}), snapshot(clusters={"a": b"2"}, listeners={"l": b"1"})
    assert one.changed_types(other) == {types.CLUSTER}
    assert one.changed_types(one) == frozenset()
    assert NOTHING.changed_types(one) == {types.CLUSTER, types.LISTENER}


def test_a_part_of_a_snapshot_has_no_other_types() -> None:
    assert set(snapshot(secrets={"s": b"!"}, config=b"f").only({types.FILTER_CONFIG}).sets) == {types.FILTER_CONFIG}


def test_a_snapshot_takes_its_version_from_the_translation() -> None:
    assert isinstance(snapshot(version="v7"), Snapshot)
    assert snapshot(version="v7").version == "v7"
