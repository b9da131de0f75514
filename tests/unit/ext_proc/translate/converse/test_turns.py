import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.converse.turns import Turns

ALLOWED = set(string.ascii_letters + string.digits + string.whitespace + "-()[]")


@given(titles=st.lists(st.none() | st.text(max_size=300), min_size=1, max_size=6))
def test_documents_have_names_that_bedrock_accepts_and_that_differ(titles: list[str | None]) -> None:
    turns = Turns(caches=True)
    names = [turns.name(title) for title in titles]
    assert all(name and len(name) <= 200 and set(name) <= ALLOWED and "  " not in name for name in names)
    assert len({name.lower() for name in names}) == len(titles)


def test_names_stay_readable() -> None:
    turns = Turns(caches=True)
    assert [turns.name(title) for title in ("Q3 (final).pdf", "q3 (final).PDF", None)] == [
        "Q3 (final)-pdf",
        "q3 (final)-PDF (2)",
        "document",
    ]


RESULT: JsonObject = {"toolResult": {"toolUseId": "t", "content": []}}
POINT: JsonObject = {"cachePoint": {"type": "default"}}


@pytest.mark.parametrize(
    ("content", "ordered"),
    [
        ([{"text": "a"}, RESULT], [RESULT, {"text": "a"}]),
        ([{"text": "a"}, POINT, RESULT, POINT, {"text": "b"}], [RESULT, POINT, {"text": "a"}, POINT, {"text": "b"}]),
        ([RESULT, POINT, RESULT], [RESULT, POINT, RESULT]),
    ],
)
def test_results_come_first_each_with_its_cache_point(content: list[JsonObject], ordered: list[JsonObject]) -> None:
    turns = Turns(caches=True)
    turns.add("user", content)
    turns.finish()
    assert turns.messages == [{"role": "user", "content": ordered}]


def test_what_one_side_says_is_one_turn() -> None:
    turns = Turns(caches=False)
    for role in ("user", "user", "assistant", "user"):
        turns.add(role, [{"text": role}])
    turns.add("assistant", [])
    assert [(turn["role"], len(turn["content"])) for turn in turns.messages] == [("user", 2), ("assistant", 1), ("user", 1)]


def test_blank_texts_are_left_out_with_their_markers() -> None:
    turns = Turns(caches=True)
    out: list[JsonObject] = []
    turns.put(out, {"text": " \n"}, {"type": "ephemeral"})
    turns.put(out, {"text": "a"}, {"type": "ephemeral", "ttl": "5m"})
    assert out == [{"text": "a"}, {"cachePoint": {"type": "default", "ttl": "5m"}}]


def test_nothing_is_marked_where_nothing_is_cached() -> None:
    turns = Turns(caches=False)
    out: list[JsonObject] = []
    turns.put(out, {"text": "a"}, {"type": "ephemeral"})
    turns.add("user", out)
    turns.finish(marker={"type": "ephemeral"})
    assert turns.messages == [{"role": "user", "content": [{"text": "a"}]}]
