from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ext_proc.codec.model_edit import remove_member, replace_model

MARK = "provider/new-model"


def edit(body: bytes, model: str = MARK) -> bytes:
    return replace_model(body, model, has_model="model" in orjson.loads(body))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model":"a"}', b'{"model":"NEW"}'),
        (b'{ "model" :\t"a" , "n": 1.0 }', b'{ "model" :\t"NEW" , "n": 1.0 }'),
        (b'{"messages":[{"model":"nested"}],"model":"a"}', b'{"messages":[{"model":"nested"}],"model":"NEW"}'),
        (b'{"model":"a","x":{"model":1},"model":"b"}', b'{"model":"NEW","x":{"model":1},"model":"NEW"}'),
        (b'{"model":{"a":["}"]},"model":"b"}', b'{"model":"NEW","model":"NEW"}'),
        (b'{"mod\\u0065l":"a","y":{"model":2}}', b'{"mod\\u0065l":"NEW","y":{"model":2}}'),
        (b'{"a":"say \\"model\\": \\"x\\"","model":"a"}', b'{"a":"say \\"model\\": \\"x\\"","model":"NEW"}'),
        (b'{"x\\"model":"no","model":"a"}', b'{"x\\"model":"no","model":"NEW"}'),
        (b'{"a":"ends with a backslash \\\\","model":"a\\"b"}', b'{"a":"ends with a backslash \\\\","model":"NEW"}'),
        (b'{"model":null}', b'{"model":"NEW"}'),
        (b'{"model":-1.5e3,"b":true}', b'{"model":"NEW","b":true}'),
        (b"{}", b'{"model":"NEW"}'),
        (b" { } ", b' {"model":"NEW" } '),
        (b'{"messages":[]}', b'{"model":"NEW","messages":[]}'),
        (b'{"a":{"model":"nested"}}', b'{"model":"NEW","a":{"model":"nested"}}'),
        (b'{"a":1e400000000000000000000,"model":"a"}', None),
        ('{"ключ":"модель","model":"a"}'.encode(), '{"ключ":"модель","model":"NEW"}'.encode()),
    ],
)
def test_replaces_only_the_top_level_model(body: bytes, expected: bytes | None) -> None:
    if expected is None:
        # A number beyond doubles: orjson refuses it before an edit is ever asked for, the edit itself keeps its digits.
        assert replace_model(body, "NEW", has_model=True) == body.replace(b'"a"}', b'"NEW"}')
    else:
        assert edit(body, "NEW") == expected


def test_writes_the_new_name_as_a_json_string() -> None:
    assert orjson.loads(edit(b'{"model":"a"}', 'we"ird\\\n\u2028')) == {"model": 'we"ird\\\n\u2028'}


KEYS = st.one_of(
    st.sampled_from(["model", "Model", "models", 'a"model', "messages", "\\", 'model":"', ""]), st.text(max_size=8)
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=12),
        st.sampled_from(['"model":"x"', '\\"model\\"', "}{][", "model"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=10,
)


@st.composite
def spellings(draw: st.DrawFn, value: Any) -> bytes:
    """The same value in one of JSON's many spellings: spaces, escaped letters."""
    space = draw(st.sampled_from([b"", b" ", b"\n\t"]))
    if isinstance(value, dict):
        members = [draw(string_spellings(k)) + space + b":" + space + draw(spellings(v)) for k, v in value.items()]
        return b"{" + space + (b"," + space).join(members) + space + b"}"
    if isinstance(value, list):
        return b"[" + space + b",".join(draw(spellings(v)) for v in value) + space + b"]"
    return draw(string_spellings(value)) if isinstance(value, str) else orjson.dumps(value)


@st.composite
def string_spellings(draw: st.DrawFn, text: str) -> bytes:
    if not draw(st.booleans()):
        return orjson.dumps(text)
    units = text.encode("utf-16-be")
    return b'"' + b"".join(b"\\u%02x%02x" % (units[i], units[i + 1]) for i in range(0, len(units), 2)) + b'"'


OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5).flatmap(spellings)


@given(OBJECTS, st.text(max_size=10))
@example(b'{"a":{"model":"b"},"\\u006dodel":"c"}', "new")
def test_changes_the_model_and_nothing_else(body: bytes, model: str) -> None:
    parsed = orjson.loads(body)
    assert orjson.loads(edit(body, model)) == {**parsed, "model": model}


@given(OBJECTS, OBJECTS)
def test_replaces_every_duplicate_and_keeps_all_other_bytes(first: bytes, second: bytes) -> None:
    middle = first.strip()[1:-1].strip()
    pieces = [b'{"model":', second, b"," + middle if middle else b"", b',"model" : ', first, b"}"]
    edited = edit(b"".join(pieces))
    marked = orjson.dumps(MARK)
    assert edited.startswith(b'{"model":' + marked)
    assert edited.endswith(b',"model" : ' + marked + b"}")
    inner = edited[len(b'{"model":' + marked) : -len(b',"model" : ' + marked + b"}")]
    if "model" not in orjson.loads(first):
        assert inner == pieces[2]


def test_is_linear_in_hostile_bodies() -> None:
    body = b'{"a":' + b'["\\"model\\"",{"model":1}],"a":' * 20_000 + b'1,"model":"x"}'
    assert edit(body).endswith(b',"model":"provider/new-model"}')
    long_string = b'{"model":"' + b'\\"' * 2_000_000 + b'","model":"x"}'
    assert edit(long_string) == b'{"model":"provider/new-model","model":"provider/new-model"}'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"x":1}', b"{}"),
        (b'{"a":1.0,"x":[{"x":2}] , "b" : {"x":3}}', b'{"a":1.0,"b" : {"x":3}}'),
        (b'{"\\u0078":1,"a":"x","x":null}', b'{"a":"x"}'),
        (b' { "a" : 1 }\n', b'{"a" : 1}'),
    ],
)
def test_takes_a_member_out(body: bytes, expected: bytes) -> None:
    assert remove_member(body, "x") == expected


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.booleans())
def test_taking_a_member_out_leaves_the_others(value: dict[str, Any], is_spaced: bool) -> None:
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2 if is_spaced else 0)
    assert orjson.loads(remove_member(body, "model")) == {key: kept for key, kept in value.items() if key != "model"}
