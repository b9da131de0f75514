"""A sink survives a disk that is full, counts what it lost, and follows its file when that is rotated."""

import os
from pathlib import Path

import pytest

from process_log import LogSink


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def test_follows_a_rotated_file_within_a_second(tmp_path: Path) -> None:
    path, clock = tmp_path / "x.log", Clock()
    descriptor = opened(path)
    sink = LogSink(str(path), descriptor, now=clock)
    sink.write(b"1\n")
    path.rename(tmp_path / "x.log.1")
    sink.write(b"2\n")
    clock.seconds = 1.0
    sink.write(b"3\n")
    assert (tmp_path / "x.log.1").read_bytes() == b"1\n2\n"
    assert path.read_bytes() == b"3\n"
    assert path.stat().st_mode & 0o777 == 0o600
    os.close(descriptor)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_fails_no_caller_and_is_told_of_later(tmp_path: Path) -> None:
    path, clock = tmp_path / "x.log", Clock()
    descriptor = os.open("/dev/full", os.O_WRONLY)
    sink = LogSink(str(path), descriptor, now=clock)
    sink.write(b"1\n")
    sink.write(b"2\n")
    clock.seconds = 1.0
    sink.write(b"3\n")
    assert path.read_bytes() == b'{"event":"log_lines_lost","count":2}\n3\n'
    os.close(descriptor)


def test_without_a_file_nothing_is_followed(tmp_path: Path) -> None:
    descriptor = opened(tmp_path / "x.log")
    clock = Clock()
    sink = LogSink("", descriptor, now=clock)
    clock.seconds = 100.0
    sink.write(b"1\n")
    assert (tmp_path / "x.log").read_bytes() == b"1\n"
    os.close(descriptor)
