"""fastText's supervised classifier: fit and predict, in seconds.

    python fasttext_labels.py ROWS.json WORD_NGRAMS SEED [EPOCHS RATE]

Its defaults but for ``wordNgrams``, the seed, epochs and rate if given, and ``thread``, which is the number of
processors (the binding would leave one of them idle). fastText splits at blanks only, so texts are lower-cased and
punctuation set apart first, as its own tutorial does; that is timed too, as is the file it wants to train from.
"""

import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import fasttext

PUNCTUATION = re.compile(r"([.!?,'/()\";:])")


def prepared(texts: list[str]) -> list[str]:
    """Lower-case, punctuation apart, one line."""
    return [" ".join(PUNCTUATION.sub(r" \1 ", text.lower()).split()) for text in texts]


stored = json.loads(Path(sys.argv[1]).read_text())
(texts, labels), (test_texts, test_labels) = stored["train"], stored["test"]
longer = {} if len(sys.argv) < 5 else {"epoch": int(sys.argv[4]), "lr": float(sys.argv[5])}
with tempfile.TemporaryDirectory() as folder:
    begun, worked = time.perf_counter(), time.process_time()
    path = Path(folder) / "train.txt"
    rows = zip(labels, prepared(texts), strict=True)
    path.write_text("".join(f"__label__{label} {text}\n" for label, text in rows), encoding="utf-8")
    model = fasttext.train_supervised(
        str(path), wordNgrams=int(sys.argv[2]), seed=int(sys.argv[3]), thread=os.cpu_count(), verbose=0, **longer
    )
    answers = [found[0].removeprefix("__label__") for found in model.predict(prepared(test_texts))[0]]
    seconds, processor = time.perf_counter() - begun, time.process_time() - worked
right = sum(answer == label for answer, label in zip(answers, test_labels, strict=True))
print(json.dumps({"seconds": seconds, "processor": processor, "accuracy": 100 * right / len(test_labels)}))
