"""Commands about an instance when there is none, and `plano up` when it must not start."""

import json
import socket
from pathlib import Path

import pytest

from control_plane.supervisor.lock import locked
from tests.cli.instances import write_site
from tests.cli.test_check import GOOD, plano


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "plano_config.yaml"
    path.write_text(GOOD)
    return path


def test_status(tmp_path: Path) -> None:
    result = plano("status", "--run-dir", tmp_path / "run")
    assert (result.exit_code, result.stdout) == (1, f"Nothing runs in {tmp_path}/run.\n")
    assert not (tmp_path / "run").exists()


def test_status_json(tmp_path: Path) -> None:
    result = plano("status", "--run-dir", tmp_path, "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert (answer["running"], answer["healthy"], answer["processes"], answer["listeners"]) == (False, False, [], [])


def test_down(tmp_path: Path) -> None:
    result = plano("down", "--run-dir", tmp_path / "run")
    assert (result.exit_code, result.stdout) == (0, f"Nothing runs in {tmp_path}/run.\n")


def test_logs(tmp_path: Path) -> None:
    result = plano("logs", "--run-dir", tmp_path / "run")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "nothing ran there yet" in result.stderr


def test_logs_of_an_earlier_run(tmp_path: Path) -> None:
    (tmp_path / "envoy.log").write_text("one\ntwo\n")
    assert plano("logs", "--run-dir", tmp_path, "-n", "1", "envoy").stdout == "envoy | two\n"


def test_up_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = plano("up", "--run-dir", tmp_path / "run")
    assert result.exit_code == 1
    assert result.stderr == f"plano: no configuration: name a FILE, or have plano_config.yaml or config.yaml in {tmp_path}\n"


@pytest.mark.parametrize("detach", [(), ("--detach",)])
def test_up_with_problems_shows_all_and_starts_nothing(config: Path, detach: tuple[str, ...]) -> None:
    config.write_text(GOOD.replace("      - id: weather", "      - id: wether"))
    run_dir = config.parent / "run"
    result = plano("up", config, "--run-dir", run_dir, *detach)
    assert result.exit_code == 1
    assert "[unknown-agent]" in result.stderr
    assert not run_dir.exists()


@pytest.mark.parametrize("detach", [(), ("--detach",)])
async def test_up_with_a_taken_port_names_it(tmp_path: Path, detach: tuple[str, ...]) -> None:
    site = write_site(tmp_path, agent_port=9)
    with socket.create_server(("127.0.0.1", site.port)):
        ended = await site.plano("up", str(site.config), *detach)
    assert ended.code == 1
    assert f'port {site.port} (listener "travel", on 127.0.0.1): address already in use' in ended.err
    assert not list(site.run_dir.glob("*.sock"))


async def test_up_beside_a_live_instance(tmp_path: Path) -> None:
    site = write_site(tmp_path, agent_port=9)
    site.run_dir.mkdir(mode=0o700)
    with locked(site.run_dir / "plano.lock"):
        ended = await site.plano("up", str(site.config))
    assert (ended.code, ended.out) == (1, "")
    assert f"a gateway runs already (run dir {site.run_dir})" in ended.err


async def test_up_without_envoy(tmp_path: Path) -> None:
    site = write_site(tmp_path, agent_port=9)
    ended = await site.plano("up", str(site.config), env={"PLANO_ENVOY": "/nowhere/envoy"})
    assert (ended.code, ended.out) == (1, "")
    assert "no Envoy at /nowhere/envoy" in ended.err
