"""The model that the extra brings: it is the one that the subjects' vectors were made with, and it knows what is alike."""

import numpy as np

from ext_proc.embedder.files import subject_vectors
from ext_proc.routing.semantic.subjects import SUBJECTS
from tests.kit.embedder import sentence_model


def test_related_sentences_are_near_each_other() -> None:
    rain, umbrella, invoice = sentence_model().embed(["will it rain", "do I need an umbrella", "pay my invoice"])
    assert rain @ umbrella > 0.4 > 0.2 > rain @ invoice


def test_a_text_has_the_same_vector_alone_and_among_others() -> None:
    texts = ["a", "two words", "x " * 2_000, "", "¿qué?", "天气"]
    together = sentence_model().embed(texts)
    alone = np.concatenate([sentence_model().embed([text]) for text in texts])
    assert np.allclose((together * alone).sum(axis=1), 1, atol=0.02)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_the_vectors_of_the_subjects_are_those_of_their_texts() -> None:
    """If this fails run `make subjects`."""
    texts = [*(subject.title for subject in SUBJECTS), *(text for subject in SUBJECTS for text in subject.requests)]
    kept = subject_vectors()
    assert len(kept) == len(texts)
    sample = range(0, len(texts), 23)
    fresh = sentence_model().embed([texts[index] for index in sample])
    assert np.all((kept[sample] * fresh).sum(axis=1) > 0.98)
