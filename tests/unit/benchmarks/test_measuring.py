"""The table compares paths with bare Envoy under the same load."""

import json

from benchmarks.load import Result
from benchmarks.measuring import BARE, LARGE, SMALL, STREAM, Bench, Load, Row, Way, table


def _row(name: str, load: Load, *, envoy: float, workers: float, rps: float) -> Row:
    way = Way(name=name, port=1, load=load, cpu=dict, workers=0 if name == BARE else 1)
    cpu = {"Envoy": envoy} | ({"workers": workers} if workers else {})
    return Row(way=way, rps=rps, p50_ms=1, p99_ms=2, cpu_us=cpu, generator_cpu_us=5, errors=0)


def test_multiples_are_of_bare_envoy_under_the_same_load() -> None:
    rows = [
        _row(BARE, SMALL, envoy=50, workers=0, rps=1000),
        _row(BARE, LARGE, envoy=100, workers=0, rps=500),
        _row("agent", SMALL, envoy=75, workers=50, rps=400),
        _row("agent", LARGE, envoy=150, workers=150, rps=100),
    ]
    small, large = (line.split("|")[4:9] for line in table(rows).splitlines()[-2:])
    assert [cell.strip() for cell in small] == ["75 µs", "50 µs", "2.50", "400", "0.40"]
    assert [cell.strip() for cell in large] == ["150 µs", "150 µs", "3.00", "100", "0.20"]


def test_a_body_is_about_as_large_as_its_load_says() -> None:
    for load in (SMALL, LARGE, STREAM):
        body = load.body("openai/gpt-4o")
        assert 0.6 < len(body) / (1024 * load.body_kb) < 1.1
        assert json.loads(body).get("stream", False) is load.streams


def test_ways_take_turns() -> None:
    sent: list[tuple[str, int]] = []

    class Recorded(Bench):
        def send(self, way: Way, connections: int, seconds: float) -> Result:
            sent.append((way.name, connections))
            spent[way.name] += 100e-6
            return Result(requests=10, seconds=1, errors=1, p50_ms=1, p99_ms=2, generator_cpu_us=3)

    spent = {"a": 0.0, "b": 0.0}
    ways = [Way(name=name, port=1, load=SMALL, cpu=lambda name=name: {"Envoy": spent[name]}) for name in spent]  # type: ignore[misc]
    rows = Recorded(wrk="", folder=None, seconds=1, rounds=2).rows(ways)  # type: ignore[arg-type]
    assert sent[2:] == [("a", 32), ("a", 1), ("b", 32), ("b", 1)] * 2
    assert [(row.rps, row.errors, round(row.total_us)) for row in rows] == [(10, 4, 10), (10, 4, 10)]
