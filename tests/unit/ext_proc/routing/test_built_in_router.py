"""How well the built-in router does on labelled conversations: one file per set of agents in `labelled/`."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.apis.conversation import Turn
from ext_proc.routing.built_in_router import BuiltInRouter

LABELLED = sorted((Path(__file__).parent / "labelled").glob("*.yaml"))


class Row(NamedTuple):
    name: str
    router: BuiltInRouter
    say: list[str]
    expect: str | None
    must: bool

    @property
    def chosen(self) -> str | None:
        choice = self.router.choose(turns(*self.say))
        return choice.agent if choice else None


def turns(*said: str) -> tuple[Turn, ...]:
    """Users and assistants take turns; the user has the last word."""
    roles = ["user", "assistant"] * len(said)
    return tuple(Turn(role, text) for role, text in zip(roles, said, strict=False))


def rows_of(path: Path) -> list[Row]:
    data: dict[str, Any] = yaml.safe_load(path.read_text())
    router = BuiltInRouter([(agent["id"], agent["description"]) for agent in data["agents"]])
    return [
        Row(f"{path.stem}: {row['say'][-1]}", router, row["say"], row["expect"], row.get("must", False))
        for row in data["conversations"]
    ]


ROWS = [row for path in LABELLED for row in rows_of(path)]
TRAVEL = next(row.router for row in ROWS if row.name.startswith("travel_three"))


def test_it_is_right_nearly_always() -> None:
    wrong = [f"{row.name} -> {row.chosen}, not {row.expect}" for row in ROWS if row.chosen != row.expect]
    assert len(ROWS) >= 60
    assert 1 - len(wrong) / len(ROWS) >= 0.93, "\n".join(wrong)


@pytest.mark.parametrize("row", [row for row in ROWS if row.must], ids=lambda row: row.name)
def test_it_is_always_right_where_anyone_would_be(row: Row) -> None:
    assert row.chosen == row.expect
