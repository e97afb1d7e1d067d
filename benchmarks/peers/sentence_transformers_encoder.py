"""Vectors of sentences with sentence-transformers: ``encode`` as it comes, batches of 32.

    python sentence_transformers_encoder.py MODEL ROWS VECTORS

MODEL is a folder, ROWS a JSON file with a list of texts; the vectors are written to VECTORS.
"""

import json
import os
import sys
import time

import numpy as np
import torch
from sentence_transformers import SentenceTransformer


def main(model: str, path: str, vectors: str) -> None:
    """Encode, and print what it took."""
    with open(path, encoding="utf-8") as file:
        texts = json.load(file)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    encoder = SentenceTransformer(model, device="cpu")
    encoder.encode(texts[:64])
    begun = time.perf_counter()
    found = encoder.encode(texts, show_progress_bar=False)
    seconds = time.perf_counter() - begun
    np.save(vectors, found)
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
