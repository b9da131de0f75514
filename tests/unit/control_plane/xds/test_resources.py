import pytest

from control_plane.xds.resources import DuplicateResource, Resource, Resources

A, B = Resource("a", b"1"), Resource("b", b"2")


def test_resources_are_sorted_and_equal_in_any_order() -> None:
    one = Resources.build([("t", B), ("t", A), ("s", A)])
    two = Resources.build([("s", A), ("t", A), ("t", B)])
    assert one == two
    assert one.of("t") == (A, B)
    assert one.names("t") == {"a", "b"}
    assert [url for url, _ in one.by_type] == ["s", "t"]


def test_a_type_without_resources_is_empty() -> None:
    assert Resources.build([]).of("t") == ()


def test_duplicates_are_rejected() -> None:
    with pytest.raises(DuplicateResource, match="'a' is defined twice"):
        Resources.build([("t", A), ("t", Resource("a", b"1"))])


@pytest.mark.parametrize(
    "changed",
    [
        [("t", Resource("a", b"x"))],
        [("t", Resource("x", b"1"))],
        [("x", A)],
        [("t", A), ("t", B)],
        [],
        [("t", Resource("a1", b""))],
    ],
)
def test_the_version_names_the_content(changed: list[tuple[str, Resource]]) -> None:
    assert Resources.build(changed).version != Resources.build([("t", A)]).version
    assert len(Resources.build(changed).version) == 12
