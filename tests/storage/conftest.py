import numpy as np
import pytest

from scansion.storage.folders import publish
from scansion.storage.strict_json import json_bytes
from scansion.storage.word_list import words_to_bytes


@pytest.fixture
def save():
    """Publishes a small model whose weights and configuration are one number."""

    def saved(folder, number=1):
        files = {
            "config.json": json_bytes({"width": number}),
            "vocabulary.json": words_to_bytes(["to", "live", "two\nlines"]),
            "weights.safetensors": {"output.weight": np.full((2, 3), number, dtype=np.float32)},
        }
        publish(folder, files, {"task": "classify", "family": "bag-of-words", "data_fingerprint": "0" * 64})

    return saved
