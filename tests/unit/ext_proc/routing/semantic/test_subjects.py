"""The subjects are data: what everybody relies on about them."""

from ext_proc.routing.semantic.index import BEST
from ext_proc.routing.semantic.subjects import CLOSINGS, SUBJECTS


def test_every_subject_has_a_title_and_requests_enough() -> None:
    assert len({subject.title for subject in SUBJECTS}) == len(SUBJECTS) > 100
    assert all(len(subject.requests) >= BEST and all(map(str.strip, subject.requests)) for subject in SUBJECTS)
    requests = [request for subject in SUBJECTS for request in subject.requests]
    assert len(set(requests)) == len(requests)


def test_closings_are_subjects() -> None:
    assert {subject.title for subject in SUBJECTS} >= CLOSINGS
