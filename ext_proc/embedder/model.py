"""The sentence model: texts in, vectors out. Thread-safe."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

MAX_TOKENS: Final = 128
"""The model's maximum input."""
BATCH: Final = 16
"""Texts per batch."""


class SentenceModel:
    """A sentence-transformers BERT: the mean of its last hidden states, normalised."""

    def __init__(self, model: Path, tokenizer: Path) -> None:
        """Load both files, which takes about half a second."""
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()
        options = onnxruntime.SessionOptions()
        # Questions are too short for several threads.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return one normalised row per text."""
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
