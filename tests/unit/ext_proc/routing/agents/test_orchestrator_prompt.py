import json
import re

from hypothesis import given
from hypothesis import strategies as st

from ext_proc.apis.conversation import Turn
from ext_proc.routing.agents.orchestrator_prompt import build_prompt, render_routes, select_turns, trim_middle

ROUTES = render_routes([("weather_agent", 'Says "rain"'), ("flight_agent", "Flüge")])


def test_the_structure_is_the_one_that_the_model_knows() -> None:
    prompt = build_prompt(
        ROUTES, (Turn("user", "Hi {there}"), Turn("assistant", "Ho"), Turn("user", "☔?")), context_length=8192
    )
    routes = prompt.split("<routes>\n")[1].split("\n</routes>")[0].split("\n")
    assert routes[0] == (
        '{"name": "weather_agent", "description": "Says \\"rain\\"", '
        '"parameters": {"type": "object", "properties": {}, "required": []}}'
    )
    assert json.loads(routes[1])["description"] == "Flüge"
    conversation = prompt.split("<conversation>\n")[1].split("\n</conversation>")[0]
    assert conversation.startswith('[\n    {\n        "role": "user",\n        "content": "Hi {there}"\n    },\n')
    assert [turn["content"] for turn in json.loads(conversation)] == ["Hi {there}", "Ho", "☔?"]
    assert prompt.index("</routes>") < prompt.index("<conversation>") < prompt.index("Instructions")
    assert re.search(r'\{"route": \[".*"\]\}', prompt)


def test_only_the_last_sixteen_turns_are_shown() -> None:
    turns = tuple(Turn("user", str(number)) for number in range(40))
    assert [turn.text for turn in select_turns(turns, 1_000)] == [str(number) for number in range(24, 40)]


def test_a_users_turn_that_does_not_fit_keeps_its_ends() -> None:
    old, new = Turn("user", "a" * 50 + "b" * 50), Turn("user", "n" * 40)
    assert select_turns((old, new), 25) == [Turn("user", "a" * 34 + "…" + "b" * 23), new]


def test_an_assistants_turn_that_does_not_fit_is_left_out_with_all_before_it() -> None:
    turns = (Turn("user", "q"), Turn("assistant", "a" * 100), Turn("user", "n" * 40))
    assert select_turns(turns, 20) == [turns[2]]


def test_the_last_turn_is_always_shown() -> None:
    turns = (Turn("user", "q"), Turn("assistant", "a" * 100))
    assert select_turns(turns, 3) == [turns[1]]


@given(st.text(max_size=60), st.integers(0, 80))
def test_trimming_keeps_the_bound_and_the_ends(text: str, max_bytes: int) -> None:
    trimmed = trim_middle(text, max_bytes)
    assert len(trimmed.encode()) <= max_bytes
    if trimmed != text and "…" in trimmed and "…" not in text:
        head, tail = trimmed.split("…")
        assert text.startswith(head)
        assert text.endswith(tail)


@given(st.lists(st.builds(Turn, st.sampled_from(["user", "assistant"]), st.text(min_size=1, max_size=80))), st.integers(-5, 60))
def test_any_conversation_is_cut_to_its_newest_part(turns: list[Turn], budget: int) -> None:
    selected = select_turns(tuple(turns), budget)
    if turns:
        assert selected
        assert selected[1:] == turns[len(turns) - len(selected) + 1 :]
