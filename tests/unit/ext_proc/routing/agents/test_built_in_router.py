"""How well the built-in router does on labelled conversations: one file per set of agents in `labelled/`."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.apis.conversation import Turn
from ext_proc.routing.agents.built_in_router import BuiltInRouter

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


def test_what_matched_are_the_agents_own_words() -> None:
    choice = TRAVEL.choose(turns("My secret is 4711. Will it rain in Zanzibar, and what is the temperature?"))
    assert choice is not None
    assert choice.terms == ("temperature", "weather")
    assert choice.score > 1


def test_the_order_of_agents_does_not_matter() -> None:
    described = [("weather", "Weather forecasts"), ("flights", "Flights between airports"), ("hotels", "Hotel rooms")]
    for order in (described, described[::-1]):
        choice = BuiltInRouter(order).choose(turns("a room in a hotel near the airport"))
        assert choice is not None
        assert choice.agent == "hotels"


@pytest.mark.parametrize(
    ("description", "asked"),
    [
        ("Solves printer trouble. Does not handle invoices.", "my invoice is wrong"),
        ("Solves printer trouble, except invoices", "my invoice is wrong"),
        ("Solves printer trouble. For invoices use billing_agent instead.", "my invoice is wrong"),
        ("Solves printer trouble without invoices", "my invoice is wrong"),
        (
            "When a question is about both printers and other things (e.g., invoices), answers ONLY the printer part",
            "my invoice is wrong",
        ),
    ],
)
def test_what_an_agent_excludes_does_not_attract(description: str, asked: str) -> None:
    router = BuiltInRouter([("printers", description), ("billing_agent", "Money matters")])
    choice = router.choose(turns(asked))
    assert choice is None or choice.agent == "billing_agent"
    kept = router.choose(turns("The printer is out of paper"))
    assert kept is not None
    assert kept.agent == "printers"


def test_places_in_an_example_do_not_attract() -> None:
    router = BuiltInRouter(
        [("flight_agent", 'Answers "What flights go from London to Seattle?"'), ("weather_agent", "Weather")]
    )
    choice = router.choose(turns("How is the weather in London and in Seattle?"))
    assert choice is not None
    assert choice.agent == "weather_agent"


def test_nobody_asked_anything() -> None:
    assert TRAVEL.choose(()) is None
    assert TRAVEL.choose((Turn("assistant", "The weather is fine."),)) is None


def test_agents_that_cannot_be_told_apart_are_not_guessed_between() -> None:
    router = BuiltInRouter([("a", "Answers questions about weather"), ("b", "Answers questions about weather")])
    assert router.choose(turns("How is the weather?")) is None


def test_a_thousand_agents_are_told_apart() -> None:
    router = BuiltInRouter(
        [(f"agent_{number}", f"Knows everything about subject{number} and things") for number in range(1_000)]
    )
    choice = router.choose(turns("Tell me about subject617"))
    assert choice is not None
    assert (choice.agent, choice.terms) == ("agent_617", ("subject617",))


@given(st.lists(st.text(max_size=40), max_size=5))
def test_any_conversation_is_read(said: list[str]) -> None:
    choice = TRAVEL.choose(turns(*said))
    assert choice is None or choice.score > 0


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=12), st.text(max_size=80)), min_size=1, max_size=5), st.text(max_size=40)
)
def test_any_description_is_read(agents: list[tuple[str, str]], asked: str) -> None:
    choice = BuiltInRouter(agents).choose(turns(asked))
    assert choice is None or choice.agent in {agent_id for agent_id, _ in agents}


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "piece",
    ["a", "a ", "from to ", "- ", "a-", "x-y ", '"', "?", "天", "\u0301", "both when if other ", "not ", "(", "A ", "A"],
)
def test_hostile_text_costs_little(piece: str) -> None:
    TRAVEL.choose(turns(piece * 300_000, piece * 300_000 + "?", piece * 300_000))
    BuiltInRouter([("a", piece * 5_000), ("b", "b")])
