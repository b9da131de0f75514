"""Options that every test can read."""

import pytest
from hypothesis import settings

# Machines that run tests are shared: how long one example takes says nothing.
settings.register_profile("plano", deadline=None)
settings.load_profile("plano")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files instead of comparing with them")
