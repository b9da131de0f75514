"""Playbooks: a request in, and whether something is to be sent. One test per rule of the xDS protocol."""

from control_plane.ads.snapshot import EMPTY, ResourceSet
from control_plane.ads.subscription import Received, Request, Response, Subscription, Verdict

ONE = ResourceSet.of({"a": b"1", "b": b"1"})
TWO = ResourceSet.of({"a": b"2", "b": b"1"})
SHRUNK = ResourceSet.of({"a": b"1"})


def whole() -> Subscription:
    return Subscription(whole_set=True)


def by_name() -> Subscription:
    return Subscription(whole_set=False)


def ask(*names: str, nonce: str = "", version: str = "") -> Request:
    return Request(names=frozenset(names), nonce=nonce, version=version)


def sent(response: Response | None) -> dict[str, bytes]:
    assert response is not None, "nothing is due"
    return dict(response.values)


def acknowledge(subscription: Subscription, response: Response | None, *names: str) -> Received:
    assert response is not None, "nothing is due"
    return subscription.receive(ask(*names, nonce=response.nonce, version=response.version))


def reject(subscription: Subscription, response: Response | None, *names: str, error: str = "bad") -> Received:
    assert response is not None, "nothing is due"
    return subscription.receive(Request(names=frozenset(names), nonce=response.nonce, error=error))


def test_nothing_is_due_before_the_first_request() -> None:
    assert whole().due(ONE) is None


def test_a_first_request_gets_everything_of_a_whole_set() -> None:
    cds = whole()
    assert cds.receive(ask()) is Received.FIRST
    assert sent(cds.due(ONE)) == {"a": b"1", "b": b"1"}


def test_a_first_request_is_answered_even_if_there_is_nothing() -> None:
    cds, eds = whole(), by_name()
    cds.receive(ask())
    eds.receive(ask("a"))
    assert sent(cds.due(EMPTY)) == {}
    assert sent(eds.due(EMPTY)) == {}


def test_an_ack_ends_it_until_the_content_changes() -> None:
    cds = whole()
    cds.receive(ask())
    first = cds.due(ONE)
    assert cds.verdict(ONE) is Verdict.PENDING
    assert acknowledge(cds, first) is Received.ACKED
    assert cds.verdict(ONE) is Verdict.ACKED
    assert cds.acked_version == ONE.version
    assert cds.due(ONE) is None
    assert sent(cds.due(TWO)) == {"a": b"2", "b": b"1"}


def test_a_resource_that_is_gone_makes_a_whole_set_due() -> None:
    cds = whole()
    cds.receive(ask())
    acknowledge(cds, cds.due(ONE))
    assert cds.verdict(SHRUNK) is Verdict.PENDING
    assert sent(cds.due(SHRUNK)) == {"a": b"1"}


def test_named_resources_come_alone_and_only_when_they_change() -> None:
    eds = by_name()
    eds.receive(ask("a"))
    response = eds.due(ONE)
    assert sent(response) == {"a": b"1"}
    acknowledge(eds, response, "a")
    assert eds.due(ResourceSet.of({"a": b"1", "b": b"9"})) is None
    assert sent(eds.due(TWO)) == {"a": b"2"}


def test_a_name_asked_for_later_is_sent_without_the_others() -> None:
    eds = by_name()
    eds.receive(ask("a"))
    first = eds.due(ONE)
    acknowledge(eds, first, "a", "b")
    assert eds.verdict(ONE) is Verdict.PENDING
    assert sent(eds.due(ONE)) == {"b": b"1"}


def test_a_name_that_exists_later_is_sent_then() -> None:
    eds = by_name()
    eds.receive(ask("a", "b"))
    acknowledge(eds, eds.due(SHRUNK), "a", "b")
    assert sent(eds.due(ONE)) == {"b": b"1"}


def test_a_name_dropped_and_asked_for_again_is_sent_again() -> None:
    eds = by_name()
    eds.receive(ask("a"))
    first = eds.due(ONE)
    acknowledge(eds, first)
    assert eds.due(ONE) is None
    acknowledge(eds, first, "a")
    assert sent(eds.due(ONE)) == {"a": b"1"}


def test_an_unchanged_resource_is_sent_again_to_whoever_warms_up() -> None:
    eds = by_name()
    eds.receive(ask("a", "b"))
    acknowledge(eds, eds.due(ONE), "a", "b")
    eds.forget(["b", "unknown"])
    assert sent(eds.due(ONE)) == {"b": b"1"}


def test_a_rejected_set_is_not_repeated_until_the_content_changes() -> None:
    cds = whole()
    cds.receive(ask())
    acknowledge(cds, cds.due(ONE))
    assert reject(cds, cds.due(TWO), error="no such thing") is Received.REJECTED
    assert cds.verdict(TWO) is Verdict.REJECTED
    assert cds.nack == "no such thing"
    assert cds.due(TWO) is None
    assert cds.acked_version == ONE.version


def test_going_back_after_a_rejection_is_sent_and_clears_it() -> None:
    cds = whole()
    cds.receive(ask())
    acknowledge(cds, cds.due(ONE))
    reject(cds, cds.due(TWO))
    acknowledge(cds, cds.due(ONE))
    assert cds.verdict(ONE) is Verdict.ACKED
    assert cds.nack == ""
    assert sent(cds.due(TWO)) == {"a": b"2", "b": b"1"}, "a second attempt gets a second verdict"


def test_a_rejected_name_does_not_hold_up_a_new_one() -> None:
    eds = by_name()
    eds.receive(ask("a"))
    reject(eds, eds.due(ONE), "a", "b")
    response = eds.due(ONE)
    assert sent(response) == {"b": b"1"}
    acknowledge(eds, response, "a", "b")
    assert eds.verdict(ONE) is Verdict.REJECTED
    assert eds.nack == "bad"
    assert sent(eds.due(TWO)) == {"a": b"2"}


def test_the_verdict_on_an_older_response_counts_for_what_it_held() -> None:
    eds = by_name()
    eds.receive(ask("a", "b"))
    first = eds.due(ONE)
    second = eds.due(TWO)
    assert acknowledge(eds, first, "a") is Received.ACKED, "names of a stale request are not the subscription"
    assert eds.verdict(TWO) is Verdict.PENDING
    acknowledge(eds, second, "a", "b")
    assert eds.verdict(TWO) is Verdict.ACKED


def test_a_stale_rejection_leaves_the_newer_set_its_own_verdict() -> None:
    cds = whole()
    cds.receive(ask())
    first, second = cds.due(ONE), cds.due(TWO)
    assert reject(cds, first) is Received.REJECTED
    assert cds.verdict(TWO) is Verdict.PENDING
    acknowledge(cds, second)
    assert cds.verdict(TWO) is Verdict.ACKED


def test_a_nonce_that_was_never_given_is_ignored() -> None:
    eds = by_name()
    eds.receive(ask("a"))
    acknowledge(eds, eds.due(ONE), "a")
    assert eds.receive(ask("b", nonce="of another stream")) is Received.STALE
    assert eds.due(ONE) is None


def test_asking_for_more_before_the_first_answer_arrived() -> None:
    eds = by_name()
    eds.receive(ask("a"))
    eds.due(ONE)
    assert eds.receive(ask("a", "b")) is Received.SUBSCRIBED
    assert sent(eds.due(ONE)) == {"b": b"1"}


def test_a_reconnecting_client_that_has_the_set_gets_nothing() -> None:
    cds = whole()
    cds.receive(ask(version=ONE.version))
    assert cds.due(ONE) is None
    assert cds.verdict(ONE) is Verdict.ACKED
    assert cds.acked_version == ONE.version
    assert sent(cds.due(TWO)) == {"a": b"2", "b": b"1"}


def test_a_reconnecting_client_with_another_version_gets_the_set() -> None:
    cds = whole()
    cds.receive(ask(version=ONE.version))
    assert sent(cds.due(TWO)) == {"a": b"2", "b": b"1"}


def test_named_resources_are_sent_again_after_a_reconnect() -> None:
    eds = by_name()
    eds.receive(ask("a", version=ONE.version))
    assert sent(eds.due(ONE)) == {"a": b"1"}


def test_a_whole_set_by_name_holds_these_names_only() -> None:
    lds = whole()
    lds.receive(ask("a"))
    response = lds.due(ONE)
    assert sent(response) == {"a": b"1"}
    acknowledge(lds, response)
    assert lds.due(TWO) is None, "after names, no names means nothing"


def test_an_explicit_wildcard_is_everything() -> None:
    lds = whole()
    lds.receive(ask("*"))
    assert sent(lds.due(ONE)) == {"a": b"1", "b": b"1"}


def test_a_type_never_asked_for_is_not_waited_for() -> None:
    assert by_name().verdict(ONE) is Verdict.ACKED
