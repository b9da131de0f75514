from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ext_proc.apis.conversation import Turn
from ext_proc.routing.affinity.session_key import SessionKey, session_key
from ext_proc.routing.affinity.sessions import Affinity, Binding, Use, decode_binding

BODY: dict[str, Any] = {"messages": [{"role": "system", "content": "Be brief."}], "tools": [{"name": "search"}]}
SAID = (Turn("user", "hi"), Turn("assistant", "hello"), Turn("user", "more"))
TENANTS = Affinity(tenant_header="x-org")


def key(
    headers: dict[str, str], *, body: dict[str, Any] = BODY, said: tuple[Turn, ...] = SAID, implies: bool = True
) -> SessionKey | None:
    return session_key(TENANTS, "messages", headers, body, said, implies=implies)


def implied(headers: dict[str, str] | None = None, **changes: Any) -> str:
    found = key(headers or {}, **changes)
    assert found is not None
    assert not found.is_explicit
    assert found.id.startswith("implicit:")
    return found.key


def test_a_client_names_its_session() -> None:
    found = key({"x-model-affinity": " mine ", "x-org": "a:b"}, implies=False)
    assert found is not None
    assert (found.id, found.key, found.is_explicit) == ("mine", "a%3Ab:named:mine", True)
    assert key({}, implies=False) is None


def test_tenants_never_meet() -> None:
    one, other = key({"x-model-affinity": "c", "x-org": "a:b"}), key({"x-model-affinity": "b:c", "x-org": "a"})
    assert one is not None
    assert other is not None
    assert one.key != other.key
    assert implied({"x-org": "a"}) != implied({"x-org": "b"})


def test_what_a_conversation_begins_with_implies_its_session() -> None:
    assert implied() == implied(said=SAID[:1])
    assert implied() != implied(said=(Turn("user", "ho"),))
    assert implied() != implied(body={**BODY, "tools": []})
    assert implied() != implied(body={"messages": [], "system": "Be brief!", "tools": BODY["tools"]})
    assert key({}, said=()) is None


def test_who_wants_no_cache_implies_nothing() -> None:
    assert key({"x-plano-cache": "OFF"}) is None
    found = key({"x-plano-cache": "off", "x-model-affinity": "mine"})
    assert found is not None
    assert found.prefix == ""


NAMES = st.text(st.sampled_from("a:%b\udcff\udcfe"), max_size=4) | st.sampled_from(
    ["hash:" + "0" * 16, "implicit:", "x" * 257, "y" * 257, ":named:a"]
)


@given(st.tuples(NAMES, NAMES.filter(bool)), st.tuples(NAMES, NAMES.filter(bool)))
def test_no_two_sessions_have_one_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    keys = [key({"x-org": tenant, "x-model-affinity": session}) for tenant, session in (one, other)]
    assert None not in keys
    assert len({found.key for found in keys if found}) == len({one, other})


def test_no_name_is_that_of_an_implied_session() -> None:
    for without_tenant in (implied(), implied().removeprefix(":")):
        named = key({"x-model-affinity": without_tenant})
        assert named is not None
        assert named.key != implied()


@given(st.text(), st.text())
def test_any_header_makes_a_key(session: str, tenant: str) -> None:
    found = key({"x-model-affinity": session, "x-org": tenant})
    assert found is not None
    assert found.is_explicit == bool(session.strip())
    assert len(found.key) <= len(tenant) * 12 + 257


BINDING = Binding(anchor_model="a/b", route_name="code", requested_model="c", last_used=1.5, history=(Use("a/b", 1.5, 3),))


def test_bindings_survive_their_store() -> None:
    assert decode_binding(BINDING.encode()) == BINDING


@given(st.binary() | st.sampled_from([b"{}", b"[]", b'{"history": 1}', b'{"history": [{}]}']))
def test_anything_else_is_no_binding(value: bytes) -> None:
    assert decode_binding(value) is None
