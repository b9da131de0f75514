"""Whatever a client says, in whatever order: the state machine never raises, never repeats itself, always answers first."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from control_plane.ads.snapshot import ResourceSet
from control_plane.ads.subscription import Received, Request, Subscription

NAMES = st.frozensets(st.sampled_from(["a", "b", "c", "*"]), max_size=3)
SETS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from([b"1", b"2"])).map(ResourceSet.of)
NONCES = st.one_of(st.just(""), st.integers(0, 12).map(str), st.text(max_size=4))
REQUESTS = st.builds(
    Request, version=st.text(max_size=3), names=NAMES, nonce=NONCES, error=st.one_of(st.none(), st.text(max_size=3))
)


@given(st.booleans(), st.lists(st.one_of(REQUESTS, SETS), max_size=40))
def test_any_sequence_is_survived_and_settles(whole_set: bool, happenings: Sequence[Request | ResourceSet]) -> None:
    subscription, current = Subscription(whole_set=whole_set), ResourceSet.of({})
    for happening in happenings:
        if isinstance(happening, Request):
            subscription.receive(happening)
        else:
            current = happening
        subscription.due(current)
        assert subscription.due(current) is None, "a second look at the same state found something more to send"
        subscription.verdict(current)


@given(st.booleans(), st.lists(st.tuples(SETS, st.booleans()), max_size=30))
def test_what_a_client_accepted_is_not_sent_again(whole_set: bool, steps: Sequence[tuple[ResourceSet, bool]]) -> None:
    subscription, names = Subscription(whole_set=whole_set), frozenset({"a", "b", "c"})
    accepted: dict[str, bytes] | None = None
    subscription.receive(Request(names=names))
    for resources, accepts in steps:
        response = subscription.due(resources)
        if accepted is None:
            assert response is not None, "a first request, or what followed a rejection, was not answered"
        elif whole_set:
            assert (response is None) == (accepted == dict(resources.values))
        else:
            changed = {name: value for name, value in resources.values.items() if accepted.get(name) != value}
            assert dict(response.values if response else {}) == changed
        if response is None:
            continue
        verdict = Request(names=names, nonce=response.nonce, error=None if accepts else "no")
        assert subscription.receive(verdict) is (Received.ACKED if accepts else Received.REJECTED)
        if not accepts:
            return
        accepted = dict(response.values) if whole_set else {**(accepted or {}), **response.values}


@given(st.booleans(), REQUESTS, SETS)
def test_a_first_request_is_always_answered(whole_set: bool, request: Request, resources: ResourceSet) -> None:
    subscription = Subscription(whole_set=whole_set)
    assert subscription.receive(request) is Received.FIRST
    assert subscription.due(resources) is not None
