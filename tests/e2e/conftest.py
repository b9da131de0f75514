"""One gateway for all modules that do not break it: they are one group, in one event loop, one test at a time."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.stage import Stage, staged


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("stage")) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _native_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("native-stage"), is_native=True) as running:
        yield running


@pytest.fixture
def stage(_stage: Stage) -> Stage:
    """The shared gateway, everybody around it as at the beginning."""
    _stage.reset()
    return _stage
