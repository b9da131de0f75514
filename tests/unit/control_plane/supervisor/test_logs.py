"""Log files are read as they grow: whole lines, through truncation, replacement and late birth."""

import itertools
from pathlib import Path

import pytest

from control_plane.supervisor import logs
from control_plane.supervisor.logs import COMPONENTS, LogFile, follow_logs, open_logs, show_logs


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "envoy.log"


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_tail_then_only_what_is_new(path: Path) -> None:
    path.write_text("one\ntwo\nthree\n")
    log = LogFile("envoy", path)
    assert log.tail(2) == ["two", "three"]
    assert log.read_new() == []
    append(path, "four\n")
    assert log.read_new() == ["four"]


def test_a_line_is_not_shown_before_it_is_whole(path: Path) -> None:
    path.write_text("one\ntw")
    log = LogFile("envoy", path)
    assert log.tail(9) == ["one"]
    append(path, "o\nthr")
    assert log.read_new() == ["two"]
    append(path, "ee\n")
    assert log.read_new() == ["three"]


def test_truncated(path: Path) -> None:
    path.write_text("a long first line\n")
    log = LogFile("envoy", path)
    log.tail(1)
    path.write_text("new\n")
    assert log.read_new() == ["new"]


def test_replaced_by_a_longer_file(path: Path) -> None:
    path.write_text("old\n")
    log = LogFile("envoy", path)
    log.tail(1)
    path.rename(path.with_suffix(".1"))
    path.write_text("new one\nnew two\n")
    assert log.read_new() == ["new one", "new two"]


def test_not_there_yet(path: Path) -> None:
    log = LogFile("envoy", path)
    assert (log.tail(5), log.read_new()) == ([], [])
    path.write_text("born\n")
    assert log.read_new() == ["born"]


def test_only_the_end_of_a_huge_file_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_TAIL_BYTES", 12)
    path.write_text("first line\nsecond\nthird\n")
    assert LogFile("envoy", path).tail(9) == ["third"]


def test_bytes_that_are_not_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\n")
    assert LogFile("envoy", path).tail(1) == ["\ufffd\ufffd"]


def test_lines_carry_their_component(tmp_path: Path) -> None:
    (tmp_path / "envoy.log").write_text("up\n")
    (tmp_path / "ext_proc.log").write_text("ready\n")
    said: list[str] = []
    show_logs(open_logs(tmp_path, None), lines=5, say=said.append)
    assert said == ["ext_proc      | ready", "envoy         | up"]
    assert [log.component for log in open_logs(tmp_path, None)] == list(COMPONENTS)


def test_following_says_new_lines(path: Path) -> None:
    rounds = itertools.count()

    def between_rounds() -> None:
        if next(rounds) == 2:
            raise KeyboardInterrupt
        append(path, "tick\n")

    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        follow_logs(open_logs(path.parent, "envoy"), say=said.append, pause=between_rounds)
    assert said == ["envoy | tick", "envoy | tick"]
