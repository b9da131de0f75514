"""What descriptions of several styles are taken apart into."""

from hypothesis import given
from hypothesis import strategies as st

from ext_proc.routing.semantic.passages import MAX_PASSAGES, passages_of


def passages(description: str, agent_id: str = "billing_agent", *others: str) -> tuple[str, ...]:
    return passages_of([(agent_id, description), *((other, "Other things") for other in others)])[0]


def test_a_few_words() -> None:
    assert passages("Invoices and payments.") == ("billing", "Invoices and payments", "Invoices", "payments")


def test_examples_stand_for_themselves() -> None:
    found = passages('Billing. For example: "why was I charged twice" "what do I owe [name]"')
    assert found[:3] == ("billing", "why was I charged twice", "what do I owe it")
    assert "For example" not in found


def test_lists_give_their_entries() -> None:
    found = passages("Capabilities:\n  * Explains invoices\n  * Books refunds; sends reminders\n")
    assert {"Explains invoices", "Books refunds", "sends reminders"} <= set(found)
    assert "Capabilities" not in found


def test_what_an_agent_leaves_to_others_is_left_out() -> None:
    text = "Explains invoices. Does not handle refunds. For outages use support_agent instead. Understands earlier messages."
    found = " ".join(passages(text, "billing_agent", "support_agent"))
    assert "invoices" in found
    assert not any(word in found for word in ("refunds", "outages", "earlier"))


def test_what_is_wrong_with_a_thing_is_not_left_out() -> None:
    found = passages("Finds out why the Wi-Fi does not work: slow connections, outages.")
    assert {"slow connections", "outages"} <= set(found)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=12), st.text(max_size=300)), min_size=1, max_size=4))
def test_any_agent_has_something_to_be_compared_with(described: list[tuple[str, str]]) -> None:
    for own in passages_of(described):
        assert 1 <= len(own) <= MAX_PASSAGES
        assert len(set(own)) == len(own)
