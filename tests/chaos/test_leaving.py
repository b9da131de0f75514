"""A few tries; `make chaos` makes a thousand."""

from pathlib import Path

import pytest

from tests.chaos.leaving import leaving

pytestmark = [pytest.mark.xdist_group("chaos"), pytest.mark.timeout(120)]


async def test_no_client_and_no_upstream_can_crash_envoy(tmp_path: Path) -> None:
    tally = await leaving(tmp_path, tries=40, largest=4 << 20, seed=5)
    assert not tally.crashes, f"\n{tally}"
    assert not tally.problems, f"\n{tally}"
    assert tally.tries.total() == 40
