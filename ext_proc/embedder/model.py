"""The sentence model: texts in, vectors out. Several threads may use it at the same time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

MAX_TOKENS: Final = 128
"""What the model was trained on."""
BATCH: Final = 16
"""Texts of similar lengths that go through at once."""


class SentenceModel:
    """A BERT of the sentence-transformers kind: the mean of its last hidden states, of length 1."""

    def __init__(self, model: Path, tokenizer: Path) -> None:
        """Load both files, which takes about half a second."""
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()
        options = onnxruntime.SessionOptions()
        # A question is too short to be worth sharing among cores.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return one row of length 1 for each text."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        rows = [self._embed([texts[index] for index in order[start : start + BATCH]]) for start in range(0, len(order), BATCH)]
        vectors = np.concatenate(rows)
        return np.asarray(vectors[np.argsort(order)], dtype=np.float32)

    def _embed(self, texts: list[str]) -> npt.NDArray[np.float32]:
        encoded = self._tokenizer.encode_batch(texts)
        ids = np.array([item.ids for item in encoded], dtype=np.int64)
        mask = np.array([item.attention_mask for item in encoded], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (states,) = self._session.run(None, inputs)
        sums = (states * mask[:, :, None]).sum(axis=1)
        return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)
