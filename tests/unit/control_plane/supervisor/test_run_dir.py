"""The run dir is closed to others, its sockets have short plain paths, and one supervisor owns it at a time."""

import os
import socket
import stat
from pathlib import Path

import pytest

from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.lock import AlreadyLocked, is_locked, locked
from control_plane.supervisor.run_dir import (
    LONGEST_SOCKET_NAME,
    SOCKET_PATH_BYTES,
    claim_directory,
    default_run_dir,
    place_sockets,
    remove_sockets,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_is_created_closed_to_others(tmp_path: Path) -> None:
    assert mode(claim_directory(tmp_path / "a" / "run")) == 0o700


def test_an_empty_open_directory_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir(mode=0o755)
    assert mode(claim_directory(path)) == 0o700


def test_somebody_elses_directory_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    path.chmod(0o755)
    (path / "precious").touch()
    with pytest.raises(CannotStart, match="open to other users"):
        claim_directory(path)
    assert mode(path) == 0o755


def test_a_file_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(CannotStart, match="cannot use the run dir"):
        claim_directory(tmp_path / "run")


@pytest.mark.parametrize("name", ["x" * 120, "with space", "per%cent", "b{race}"])
def test_sockets_move_to_a_short_plain_directory(tmp_path: Path, name: str) -> None:
    run_dir = place_sockets(claim_directory(tmp_path / name))
    try:
        assert run_dir.sockets != run_dir.path
        assert len(os.fsencode(run_dir.sockets / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES
        assert mode(run_dir.sockets) == 0o700
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(str(run_dir.ext_proc_socket(9999)))
    finally:
        remove_sockets(run_dir)
    assert not run_dir.sockets.exists()


def test_sockets_are_in_a_short_run_dir_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dir = place_sockets(claim_directory(tmp_path / "r"))
    assert run_dir.sockets == run_dir.path
    run_dir.xds_socket.touch()
    run_dir.status.touch()
    remove_sockets(run_dir)
    assert not run_dir.xds_socket.exists()
    assert run_dir.status.exists()


def test_default_is_in_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert default_run_dir() == Path("/home/ada/.plano/run")


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "plano.lock"
    assert not is_locked(lock)
    with locked(lock):
        assert is_locked(lock)
        with pytest.raises(AlreadyLocked), locked(lock):
            pytest.fail("two holders")
        assert is_locked(lock)
    assert not is_locked(lock)
