import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.routing.agents.orchestrator_reply import UnreadableReply, parse_reply

KNOWN = {"weather_agent", "flight_agent", "currency-agent", "support"}
W, F = "weather_agent", "flight_agent"

READ: list[tuple[str, tuple[str, ...]]] = [
    ('{"route": ["weather_agent"]}', (W,)),
    ('{"route": ["weather_agent", "flight_agent"]}', (W, F)),
    ('{"route": ["flight_agent", "weather_agent", "flight_agent"]}', (F, W)),
    ('{"route": ["zzz", "flight_agent"]}', (F,)),
    ('{"route": ["zzz"]}', ()),
    ('{"route": []}', ()),
    ('{"route": null}', ()),
    ('{"route": ""}', ()),
    ("{}", ()),
    ("null", ()),
    ("[]", ()),
    ("", ()),
    ("  \n ", ()),
    ('{"route": [""]}', ()),
    ('{"route": [" weather_agent "]}', (W,)),
    ('{"route": "weather_agent"}', (W,)),
    ('{"route": "weather_agent, flight_agent"}', (W, F)),
    ('{"route": ["weather_agent", 3, null]}', (W,)),
    ('["flight_agent"]', (F,)),
    ('"flight_agent"', (F,)),
    ("weather_agent", (W,)),
    ("weather_agent.", (W,)),
    ("currency-agent", ("currency-agent",)),
    ("support", ("support",)),
    ("{'route': ['weather_agent']}", (W,)),
    ("{'route': ['weather_agent']}\\n", (W,)),
    ("{'route': []}", ()),
    ("{'route': None}", ()),
    ("{{\"route\": ['weather_agent']}}", (W,)),
    ('```json\n{"route": ["weather_agent"]}\n```', (W,)),
    ('```\n["weather_agent", "flight_agent"]\n```', (W, F)),
    ('Sure! Here it is: {"route": ["flight_agent"]}. Anything else?', (F,)),
    ('Not {"route": ["weather_agent"]} but {"route": ["flight_agent"]}', (F,)),
    ("route: [weather_agent, flight_agent]", (W, F)),
    ('{"routes": ["weather_agent"]}', (W,)),
    ('{"route": ["weather_agent", "flig', (W,)),
    ('{"route": ["weather_agent"', (W,)),
    ("The best route is `flight_agent`.", (F,)),
    ("I would take flight_agent here.", (F,)),
    ('<think>maybe "flight_agent"?</think>{"route": ["weather_agent"]}', (W,)),
    ("[weather_agent]", (W,)),
]


@pytest.mark.parametrize(("content", "names"), READ)
def test_what_models_write_is_read(content: str, names: tuple[str, ...]) -> None:
    assert parse_reply(content, KNOWN) == names


@pytest.mark.parametrize(
    "content",
    [
        '{"route": [',
        '{"route": ["wea',
        "I cannot help with that.",
        "weather_agent or flight_agent",
        "I support you.",
        '{"answer": 42}',
        "42",
    ],
)
def test_what_cannot_be_understood_is_said_to_be_unreadable(content: str) -> None:
    with pytest.raises(UnreadableReply):
        parse_reply(content, KNOWN)


PIECES = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", '"', "'", "`", "route", ":", ",", "weather_agent", "flight_agent", "null", "\\n", "```", " "]
    )
    | st.text(max_size=4)
).map("".join)


@given(PIECES)
def test_any_text_gives_known_names_or_is_unreadable(content: str) -> None:
    names: tuple[str, ...] = ()
    try:
        names = parse_reply(content, KNOWN)
    except UnreadableReply:
        return
    assert set(names) <= KNOWN
    assert len(set(names)) == len(names)


@pytest.mark.timeout(2)
@pytest.mark.parametrize("piece", ["{", "[", '"', "'", "`", " ", "\n", "route: [", "```", "\\n", "<think>", "{'route':", "a "])
def test_a_hostile_reply_costs_little(piece: str) -> None:
    try:
        parse_reply(piece * 200_000, KNOWN)
    except UnreadableReply:
        return
