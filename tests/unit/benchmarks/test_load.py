"""The load generator is found or named, and what it prints is read."""

import json
from pathlib import Path

import pytest

from benchmarks.load import NoLoadGenerator, find_wrk, read_result

SUMMARY = {"requests": 200, "seconds": 2.0, "errors": 3, "p50_ms": 1.5, "p99_ms": 9.0}


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoLoadGenerator, match=r"no executable 'wrk': install it .*apt-get install wrk"):
        find_wrk({"PATH": str(tmp_path)})
    with pytest.raises(NoLoadGenerator, match="no executable '/nowhere/wrk'"):
        find_wrk({"PATH": str(tmp_path), "PLANO_WRK": "/nowhere/wrk"})


def test_the_search_path_is_searched(tmp_path: Path) -> None:
    program = tmp_path / "wrk"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_wrk({"PATH": str(tmp_path)}) == str(program)


def test_a_run_is_read_with_what_the_generator_took() -> None:
    result = read_result(json.dumps(SUMMARY).encode(), 0, cpu_seconds=0.004)
    assert (result.requests, result.errors, result.p99_ms, result.generator_cpu_us) == (200, 3, 9.0, 20)


@pytest.mark.parametrize(
    ("printed", "code", "message"),
    [
        (b"unable to connect to 127.0.0.1:9 Connection refused\n", 1, "wrk ended with 1: unable to connect"),
        (json.dumps(SUMMARY | {"requests": 0}).encode(), 0, "no answer; 3 errors"),
    ],
)
def test_a_run_without_answers_is_no_measurement(printed: bytes, code: int, message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        read_result(printed, code, cpu_seconds=0.1)
