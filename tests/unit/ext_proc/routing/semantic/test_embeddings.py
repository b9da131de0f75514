"""What providers answer, and what they should not."""

import base64

import numpy as np
import orjson
import pytest

from ext_proc.ports import EgressResponse
from ext_proc.routing.agents.semantic_rung import SemanticRungFailed
from ext_proc.routing.semantic.embeddings import MAX_INPUTS, embed, read_vectors
from ext_proc.routing.semantic.model import EmbeddingModel
from tests.unit.ext_proc.filters.recording_egress import RecordingEgress, local_reply, reply

MODEL = EmbeddingModel(upstream_model="small", route="embedding/x", path="/v1/embeddings", timeout_seconds=2)


def entry(index: int, *numbers: float) -> dict[str, object]:
    return {"object": "embedding", "index": index, "embedding": list(numbers)}


async def test_texts_are_asked_in_batches_that_any_provider_takes() -> None:
    texts = [f"text {number}" for number in range(MAX_INPUTS + 1)]
    first = reply({"data": [entry(index, 3, 4) for index in range(MAX_INPUTS)]})
    egress = RecordingEgress([first, reply({"data": [entry(0, 0, 2)]})])
    vectors = await embed(MODEL, texts, egress=egress, headers={"x-request-id": "r"})
    assert vectors.shape == (MAX_INPUTS + 1, 2)
    assert np.allclose(vectors[[0, -1]], np.array([[0.6, 0.8], [0, 1]])), "their length is 1"
    assert [len(post.json["input"]) for post in egress.posts] == [MAX_INPUTS, 1]
    assert egress.posts[0].json.keys() == {"model", "input"}, "base64 is not understood everywhere"
    assert (egress.posts[0].json["model"], egress.posts[0].headers["x-request-id"]) == ("small", "r")


def test_entries_may_come_in_any_order_and_as_base64() -> None:
    encoded = base64.b64encode(np.array([0, 5], dtype="<f4").tobytes()).decode()
    body = orjson.dumps({"data": [{"index": 1, "embedding": encoded}, entry(0, 7, 0)]})
    assert np.allclose(read_vectors(body, 2), [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    "data",
    [
        [],
        [entry(0, 1, 0)],
        [entry(0, 1, 0), entry(1, 1)],
        [entry(0, 1, 0), entry(1, 0, 0)],
        [entry(0, 1, 0), {"index": 1, "embedding": "no base64!"}],
        [entry(0, 1, 0), {"index": 1, "embedding": None}],
        [entry(0, 1, 0), {"index": 1, "embedding": [[1], [2]]}],
        [entry(0, 1, 0), {"index": 1}],
        "text",
        None,
    ],
)
def test_what_is_not_two_vectors_is_unreadable(data: object) -> None:
    with pytest.raises(SemanticRungFailed, match="embeddings were unreadable"):
        read_vectors(orjson.dumps({"data": data}), 2)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (local_reply(504, "UT"), "embeddings timed out"),
        (local_reply(503, "UO"), "embeddings were unreachable"),
        (EgressResponse(429, {}, b"{}"), "embeddings answered 429"),
        (EgressResponse(200, {}, b"<html>"), "embeddings were unreadable"),
    ],
)
async def test_failures_say_what_happened(answer: EgressResponse, reason: str) -> None:
    with pytest.raises(SemanticRungFailed, match=reason):
        await embed(MODEL, ["a"], egress=RecordingEgress([answer]), headers={})
