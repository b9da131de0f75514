"""Users' functions as filters: what is called with what, and mistakes with the line that made them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ext_proc.python_filters.functions import Mistake, add_folder, describe, find_function, status_of

GOOD = """
class Refused(Exception):
    status = 403

def only_body(body):
    return body | {"seen": True}

def all_of_it(body, path, headers):
    return body | {"path": path, "headers": headers}

async def waits(body, *, path):
    return body | {"path": path}

def anything(*args, **kwargs):
    return None

class Filter:
    def __call__(self, body):
        return body | {"called": True}

instance = Filter()
NUMBER = 3

def no_body():
    return None

def too_much(body, tenant):
    return body

def fails(body):
    return body["missing"]
"""


@pytest.fixture
def module(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "users_filters.py").write_text(GOOD)
    (tmp_path / "users_broken.py").write_text("import os\n\nos.no_such_thing\n")
    (tmp_path / "users_typo.py").write_text("def f(body:\n")
    (tmp_path / "users_exit.py").write_text("raise SystemExit(3)\n")
    add_folder(str(tmp_path))
    yield "users_filters"
    sys.path.remove(str(tmp_path))
    sys.modules.pop("users_filters", None)


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("only_body", {"a": 1, "seen": True}),
        ("all_of_it", {"a": 1, "path": "/p", "headers": {"x": "y"}}),
        ("waits", {"a": 1, "path": "/p"}),
        ("anything", None),
        ("instance", {"a": 1, "called": True}),
    ],
)
def test_a_function_gets_what_it_takes(module: str, name: str, left: object) -> None:
    function = find_function(f"{module}:{name}")
    assert function.run({"body": {"a": 1}, "path": "/p", "headers": {"x": "y"}}) == left


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("users_filters:nobody", "has no `nobody`"),
        ("users_filters:NUMBER", "cannot be called: it is a int"),
        ("users_filters:no_body", r"takes no body \(.*users_filters.py:24\)"),
        ("users_filters:too_much", r"takes tenant as well \(.*users_filters.py:27\)"),
        ("users_nowhere:f", "ModuleNotFoundError: No module named 'users_nowhere'"),
        ("users_broken:f", r"AttributeError: .*no_such_thing.*users_broken.py:3\)"),
        ("users_typo:f", r"SyntaxError: .*users_typo.py:1\)"),
        ("users_exit:f", r"SystemExit: 3 \(.*users_exit.py:1\)"),
    ],
)
def test_a_mistake_is_told_with_its_line(module: str, reference: str, said: str) -> None:
    assert module
    with pytest.raises(Mistake, match=said):
        find_function(reference)


def test_a_failure_names_the_users_line(module: str) -> None:
    function = find_function(f"{module}:fails")
    with pytest.raises(KeyError) as failed:
        function.run({"body": {}, "path": "", "headers": {}})
    assert describe(failed.value).endswith("users_filters.py:31)")


def test_exceptions_with_a_status_refuse() -> None:
    class Web(Exception):
        status_code = 422

    class Odd(Exception):
        status = 500

    assert (status_of(Web()), status_of(Odd()), status_of(ValueError())) == (422, None, None)
