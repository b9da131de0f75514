"""What stands in the status file follows reports and clients."""

import asyncio
from pathlib import Path

import pytest

from control_plane.ads import Clients, Views
from control_plane.ads.subscription import Request
from control_plane.ads.types import LISTENER, Role
from control_plane.status import ConfigState, Status, read_status, write_status
from control_plane.status_file import StatusFile
from tests.ads.world import Recorder, generation
from tests.unit.control_plane.test_telemetry import REPORT


def plane(file: Path) -> tuple[StatusFile, Clients, Views]:
    views, clients = Views(), Clients(Recorder())
    views.show(Role.ENVOY, generation("a"))
    return (
        StatusFile(file, config_file=Path("plano_config.yaml"), clients=clients, views=views, retry_seconds=0.01),
        clients,
        views,
    )


def test_before_the_first_configuration_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert plane(tmp_path / "status.json")[0].status() is None


def test_clients_show_with_what_they_run_and_what_they_refuse(tmp_path: Path) -> None:
    status_file, clients, views = plane(tmp_path / "status.json")
    status_file.reloaded(REPORT)
    resources = views.of(Role.ENVOY).of_type(LISTENER)
    for node_id, error in (("b", None), ("a", "no such filter")):
        client = clients.join(Role.ENVOY, node_id)
        clients.receive(client, LISTENER, Request())
        response = client.subscription(LISTENER).due(resources)
        assert response is not None
        clients.receive(client, LISTENER, Request(nonce=response.nonce, error=error))
    status = status_file.status()
    assert status is not None
    assert [(c.node_id, c.acked, c.refused) for c in status.clients] == [
        ("a", {}, {"lds": "no such filter"}),
        ("b", {"lds": resources.version}, {}),
    ]
    assert status.state is ConfigState.REJECTED, "what is served is refused by a client"


async def written(file: Path) -> Status:
    async with asyncio.timeout(5):
        while (status := read_status(file)) is None:  # noqa: ASYNC110 - files send no events
            await asyncio.sleep(0.01)
    return status


async def test_the_file_follows_and_survives_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, failed, loop = tmp_path / "run", asyncio.Event(), asyncio.get_running_loop()

    def write(status: Status, file: Path) -> None:
        try:
            write_status(status, file)
        except OSError:
            loop.call_soon_threadsafe(failed.set)
            raise

    monkeypatch.setattr("control_plane.status_file.write_status", write)
    status_file, _, _ = plane(folder / "status.json")
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(status_file.run())
        status_file.reloaded(REPORT)  # there is no such folder yet
        await failed.wait()
        folder.mkdir()
        status = await written(folder / "status.json")
        assert status.version == "a"
        running.cancel()
