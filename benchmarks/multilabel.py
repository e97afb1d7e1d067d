"""Sets of many labels: ours beside scikit-learn's TF-IDF with a linear SVM a label, in one alternating run.

    python benchmarks/multilabel.py                              bag-of-words, n-grams and the peer on debtags
    python benchmarks/multilabel.py --families bag-of-words --rounds 3
    python benchmarks/multilabel.py --set trec                   coarse and fine labels together

Every run is a process of its own, with one thread for BLAS.  Seconds are those of fitting and answering, imports
included; megabytes are the most that the process held.  F1 is scikit-learn's, over the labels of the training rows.
Defaults were chosen on ``--set trec`` and ``--set debtags-fold``, which are training rows alone.
"""

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from public_data import add_data_option, column

PEER = "peer"
Rows = tuple[list[str], list[tuple[str, ...]]]


def debtags(data: Path, part: str) -> Rows:
    """Descriptions of packages and their tags."""
    with gzip.open(data / "debtags" / f"{part}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row["text"] for row in rows], [tuple(row["tags"]) for row in rows]


def trec(data: Path) -> Rows:
    """The training questions with both of their labels."""
    path = data / "trec" / "train.tsv.gz"
    (texts, coarse), (_, fine) = column(path, "text", "coarse"), column(path, "text", "fine")
    return texts, list(zip(coarse, fine, strict=True))


def parted(rows: Rows) -> tuple[Rows, Rows]:
    """Three quarters to learn from, and one to choose on."""
    order = np.random.default_rng(0).permutation(len(rows[0])).tolist()
    cut = len(order) // 4
    kept, held = ((([rows[0][i] for i in some]), [rows[1][i] for i in some]) for some in (order[cut:], order[:cut]))
    return kept, held


SETS = {
    "debtags": lambda data: (debtags(data, "train"), debtags(data, "test")),
    "debtags-fold": lambda data: parted(debtags(data, "train")),
    "trec": lambda data: parted(trec(data)),
}


def peer(train: Rows, texts: list[str]) -> list[tuple[str, ...]]:
    """scikit-learn's answers."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import MultiLabelBinarizer
    from sklearn.svm import LinearSVC

    labels, vectors = MultiLabelBinarizer(), TfidfVectorizer()
    machines = OneVsRestClassifier(LinearSVC()).fit(vectors.fit_transform(train[0]), labels.fit_transform(train[1]))
    return labels.inverse_transform(machines.predict(vectors.transform(texts)))


def ours(family: str, train: Rows, texts: list[str]) -> list[tuple[str, ...]]:
    """Answers of a family with its defaults."""
    import scansion

    model = scansion.DocumentClassifier(family, random_state=0, processes=1).fit(*train)
    return model.fitted_.answers(model.decision_function(texts))


def run(family: str, name: str, data: Path) -> None:
    """One line of JSON on one family."""
    train, test = SETS[name](data)
    begun, busy = time.perf_counter(), time.process_time()
    found = peer(train, test[0]) if family == PEER else ours(family, train, test[0])
    line = {"family": family, "seconds": time.perf_counter() - begun, "processor": time.process_time() - busy,
            "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    from sklearn.metrics import f1_score  # after the memory was read

    labels = sorted({label for labels in train[1] for label in labels})
    truth, given = (
        np.array([[label in row for label in labels] for row in map(set, side)], int) for side in (test[1], found)
    )
    scores = {f"{kind}_f1": 100 * f1_score(truth, given, average=kind, zero_division=0) for kind in ("micro", "macro")}
    print(json.dumps(line | scores))


def main() -> None:
    """The runs, and a table of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, default="debtags")
    parser.add_argument("--families", nargs="+", default=["bag-of-words", "n-grams"])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--run", help=argparse.SUPPRESS)
    add_data_option(parser)
    given = parser.parse_args()
    if given.run:
        run(given.run, given.set, given.data)
        return
    print("| family | micro-F1 | macro-F1 | seconds | of processors | peak MB |\n|---|---:|---:|---:|---:|---:|")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for _ in range(given.rounds):
        for family in (PEER, *given.families):
            command = [sys.executable, __file__, "--run", family, "--set", given.set, "--data", str(given.data)]
            done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            line = json.loads(done.stdout.splitlines()[-1])
            print("| {family} | {micro_f1:.1f} | {macro_f1:.1f} | {seconds:.0f} | {processor:.0f} | {megabytes:.0f} |"
                  .format(**line), flush=True)


if __name__ == "__main__":
    main()
