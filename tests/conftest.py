"""Options that every test can read."""

import os
from typing import Any

import pytest
from hypothesis import settings

# Machines that run tests are shared: how long one example takes says nothing. `make test` tries the same examples each time, so
# that it says the same of the same code; `make fuzz` looks for new ones. Property tests take three quarters of the CPU of unit
# tests, so here they try half of Hypothesis' usual hundred examples.
settings.register_profile("test", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("fuzz", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files instead of comparing with them")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from tests.kit.groups import make_scheduler  # its xdist may be turned off

    return make_scheduler(config, log)
