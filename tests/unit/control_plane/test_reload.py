"""A real file, rewritten, renamed, deleted and broken; what compiles it and where it goes are stand-ins."""

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from control_plane.ads import Nack, Outcome, OutcomeKind, Snapshot
from control_plane.ads.types import LISTENER, Role
from control_plane.errors import ConfigError, Problem
from control_plane.reload import MAX_CONFIG_BYTES, Compiled, Reloader, Report, Result
from control_plane.status import ConfigState
from tests.ads.world import generation

WARNING = Problem(path="old", code="no-effect", message="has no effect yet")
PUBLISHED = Outcome(kind=OutcomeKind.PUBLISHED)


class Plane:
    """Compiles text that starts with `bad` to an error, and all else to a snapshot called by that text."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.reports: list[Report] = []
        self._offered: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.outcomes: dict[str, Outcome | Exception] = {}
        self.slow: dict[str, asyncio.Event] = {}
        self._reported = asyncio.Event()
        self.reloader = Reloader(file, compile_file=self._compile, publish=self._publish, report=self._report)

    async def reported(self, accepted: Callable[[Report], bool], seconds: float = 5) -> Report:
        """Return the newest report once it is as wanted."""
        async with asyncio.timeout(seconds):
            while not (self.reports and accepted(self.reports[-1])):
                self._reported.clear()
                await self._reported.wait()
        return self.reports[-1]

    async def serves(self, version: str) -> Report:
        return await self.reported(lambda r: r.state is ConfigState.OK and r.served.snapshot.version == version)

    async def is_offered(self, version: str) -> None:
        async with asyncio.timeout(5):
            await self._offered[version].wait()

    async def is_invalid(self) -> Report:
        return await self.reported(lambda r: r.state is ConfigState.INVALID)

    def _compile(self, file: Path) -> Compiled:
        text = file.read_text() + ((file.parent / ".env").read_text() if (file.parent / ".env").exists() else "")
        if text.startswith("bad"):
            raise ConfigError((Problem(path="agents", code="bad", message=text, file=str(file), line=1),), (WARNING,))
        if text.startswith("bug"):
            raise KeyError("sk-secret")
        return Compiled(snapshot=generation(text), warnings=(WARNING,))

    async def _publish(self, snapshot: Snapshot) -> Outcome:
        self._offered[snapshot.version].set()
        if snapshot.version in self.slow:
            await self.slow[snapshot.version].wait()
        outcome = self.outcomes.get(snapshot.version, PUBLISHED)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _report(self, report: Report) -> None:
        self.reports.append(report)
        self._reported.set()


@asynccontextmanager
async def following(tmp_path: Path) -> AsyncIterator[Plane]:
    (tmp_path / "plano_config.yaml").write_text("one")
    plane = Plane(tmp_path / "plano_config.yaml")
    await plane.reloader.start()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(plane.reloader.run())
        yield plane
        running.cancel()


def swap(file: Path, text: str) -> None:
    """Replace a file as careful editors do."""
    draft = file.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(file)


async def test_the_first_state_is_published(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        report = plane.reports[0]
        assert (report.result, report.state, report.served.snapshot.version) == (Result.PUBLISHED, ConfigState.OK, "one")
        assert report.warnings == (WARNING,)


async def test_without_a_first_good_state_there_is_nothing_to_serve(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("bad")
    with pytest.raises(ConfigError) as refused:
        await Plane(tmp_path / "c.yaml").reloader.start()
    assert refused.value.problems[0].line == 1


async def test_a_rewritten_file_is_served_within_a_second(tmp_path: Path) -> None:
    async with following(tmp_path) as plane, asyncio.timeout(1):
        plane.file.write_text("two")
        await plane.serves("two")


async def test_a_file_that_is_renamed_into_place_is_served(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        swap(plane.file, "two")
        await plane.serves("two")


async def test_a_config_map_whose_link_is_swapped_is_served(tmp_path: Path) -> None:
    for version in ("one", "two"):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / "plano_config.yaml").write_text(version)
    (tmp_path / "..data").symlink_to("..one")
    file = tmp_path / "plano_config.yaml"
    file.symlink_to("..data/plano_config.yaml")
    plane = Plane(file)
    await plane.reloader.start()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(plane.reloader.run())
        (tmp_path / "..new").symlink_to("..two")
        (tmp_path / "..new").replace(tmp_path / "..data")
        await plane.serves("two")
        running.cancel()


async def test_a_changed_env_file_is_a_change(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        (tmp_path / ".env").write_text("+KEY")
        await plane.serves("one+KEY")


async def test_an_invalid_file_leaves_the_last_good_one(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        plane.file.write_text("bad")
        report = await plane.is_invalid()
        assert report.served.snapshot.version == "one"
        assert report.tried_version == ""
        assert [p.message for p in report.problems] == ["bad"]
        plane.file.write_text("two")
        assert (await plane.serves("two")).problems == ()


async def test_going_back_to_the_served_state_ends_the_complaint(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        plane.file.write_text("bad")
        await plane.is_invalid()
        plane.outcomes["one"] = Outcome(kind=OutcomeKind.UNCHANGED)
        plane.file.write_text("one")
        report = await plane.serves("one")
        assert report.result is Result.UNCHANGED
        assert report.published_at == plane.reports[0].published_at


async def test_a_deleted_file_is_reported_and_may_come_back(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        plane.file.unlink()
        report = await plane.is_invalid()
        assert report.problems[0].code == "unreadable-file"
        plane.file.write_text("two")
        await plane.serves("two")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_an_unreadable_file_is_reported(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        plane.file.write_text("two")
        plane.file.chmod(0)
        report = await plane.is_invalid()
        assert "Permission denied" in report.problems[0].message


async def test_what_is_not_a_file_is_not_opened(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        plane.file.unlink()
        os.mkfifo(plane.file)
        report = await plane.is_invalid()
        assert report.problems[0].message == "is not a regular file"


async def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        with plane.file.open("ab") as file:
            file.truncate(MAX_CONFIG_BYTES + 1)
        assert (await plane.is_invalid()).problems[0].code == "huge-file"


async def test_a_defect_of_ours_does_not_end_it_and_quotes_nothing(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        plane.file.write_text("bug")
        report = await plane.is_invalid()
        assert report.problems[0].code == "internal-error"
        assert "sk-secret" not in report.problems[0].message
        plane.file.write_text("two")
        await plane.serves("two")


async def test_what_envoy_refuses_is_a_problem_of_the_file(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        nack = Nack(node_id="envoy-1", role=Role.ENVOY, type_url=LISTENER, message="no such filter")
        plane.outcomes["two"] = Outcome(kind=OutcomeKind.REJECTED, nacks=(nack,))
        plane.file.write_text("two")
        report = await plane.reported(lambda r: r.state is ConfigState.REJECTED)
        assert report.problems[0].message == "envoy-1 refused lds: no such filter"
        assert (report.served.snapshot.version, report.tried_version) == ("one", "two")


async def test_a_publication_that_fails_does_not_end_it(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        plane.outcomes["two"] = ValueError("sk-secret")
        plane.file.write_text("two")
        report = await plane.reported(lambda r: r.state is ConfigState.REJECTED)
        assert report.problems[0].message == "cannot be published: ValueError"
        plane.file.write_text("three")
        await plane.serves("three")


async def test_a_newer_file_is_offered_while_an_older_one_waits(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        plane.slow["two"] = asyncio.Event()
        plane.outcomes["two"] = Outcome(kind=OutcomeKind.SUPERSEDED)
        swap(plane.file, "two")
        await plane.is_offered("two")
        swap(plane.file, "three")
        await plane.serves("three")
        plane.slow["two"].set()
        assert plane.reports[-1].served.snapshot.version == "three"


async def test_an_older_publication_does_not_hide_that_the_file_is_invalid_now(tmp_path: Path) -> None:
    async with following(tmp_path) as plane:
        plane.slow["two"] = asyncio.Event()
        swap(plane.file, "two")
        await plane.is_offered("two")
        swap(plane.file, "bad")
        await plane.is_invalid()
        plane.slow["two"].set()
        report = await plane.reported(lambda r: r.served.snapshot.version == "two")
        assert report.state is ConfigState.INVALID
        assert report.problems
