"""`make subjects`: precomputes the vectors of all subjects, so that no gateway does it at its start."""

import numpy as np
import numpy.typing as npt

from ext_proc.embedder.files import SUBJECTS_FILE, model_file, tokenizer_file
from ext_proc.embedder.model import SentenceModel
from ext_proc.routing.semantic.subjects import SUBJECTS


def compute_vectors() -> npt.NDArray[np.int8]:
    """Embed titles and requests, in the format of the file."""
    texts = [*(subject.title for subject in SUBJECTS), *(text for subject in SUBJECTS for text in subject.requests)]
    vectors = SentenceModel(model_file(), tokenizer_file()).embed(texts)
    return np.asarray(np.rint(127 * vectors), dtype=np.int8)


def main() -> None:
    """Write the file."""
    np.save(SUBJECTS_FILE, compute_vectors())


if __name__ == "__main__":
    main()
