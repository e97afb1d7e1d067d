"""CTranslate2 driven plainly: batches of 32 sentences in the order of the file, five beams, all processors.

    python ctranslate2_translator.py FOLDER PRECISION BATCH

FOLDER holds ``engine``, the model that scansion exported, and ``pieces.json``, the sources as sub-words.  With a batch
of 1 the milliseconds of each sentence are told too.
"""

import json
import os
import sys
import time
from pathlib import Path

import ctranslate2


def main(folder: Path, precision: str, batch: int) -> None:
    """Translate, and print what it took."""
    sources = json.loads((folder / "pieces.json").read_text())
    translator = ctranslate2.Translator(
        str(folder / "engine"), compute_type=precision, inter_threads=1, intra_threads=len(os.sched_getaffinity(0))
    )
    translator.translate_batch(sources[:2], beam_size=5)
    begun, found, each = time.perf_counter(), [], []
    for begin in range(0, len(sources), batch):
        started = time.perf_counter()
        results = translator.translate_batch(sources[begin : begin + batch], beam_size=5)
        each.append(1000 * (time.perf_counter() - started))
        found += [result.hypotheses[0] for result in results]
    print(json.dumps({
        "seconds": time.perf_counter() - begun, "found": found, "milliseconds": each if batch == 1 else [],
    }))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
