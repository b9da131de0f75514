"""Tests that share a gateway are one unit of work for pytest-xdist."""

from pathlib import Path

import pytest

from tests.kit.groups import GroupScheduling, group_of

TESTS = Path(__file__).parents[3]


def test_a_modules_mark_names_its_group() -> None:
    assert group_of(TESTS / "e2e" / "test_agents.py") == group_of(TESTS / "e2e" / "test_models.py") == "e2e-stage"
    assert group_of(Path(__file__)) == ""


def test_tests_of_a_group_are_one_unit_of_work(pytestconfig: pytest.Config) -> None:
    scheduling = GroupScheduling.__new__(GroupScheduling)
    scheduling.config = pytestconfig
    nodes = [
        "tests/e2e/test_agents.py::test_x",
        "tests/e2e/test_filters.py::test_y[a::b]",
        "tests/unit/tests/kit/test_groups.py::test_z",
    ]
    assert [scheduling._split_scope(node) for node in nodes] == ["e2e-stage", "e2e-stage", nodes[2]]
