"""The counting families beside their peers: fit and predict, in seconds, and the accuracy that it buys.

    python benchmarks/counting.py                 all of it
    python benchmarks/counting.py --rows 500 --pairs 1

Against scikit-learn on imdb (25,000 reviews to learn, 25,000 to answer):

    bag-of-words   TfidfVectorizer(sublinear_tf), the same words                       + LogisticRegression
    n-grams        TfidfVectorizer of 1-3 words and of 3-5 letters in words, min_df 2  + LogisticRegression

Against fastText on ag_news (10,001 to learn, 7,600 to answer) and imdb, with its defaults, with ``wordNgrams=2``, and
with 25 epochs at a rate of 1 besides, as its tutorial has it for few rows.

Texts lie in memory before the clock starts, imports are done; every measurement is a process of its own, in turn: ours,
theirs, ours, theirs. Processor seconds are those of all threads. scansion's time includes the choice of the strength by
inner cross-validation, which the peers do not make; its n-grams have no static vectors beside them. A ratio above 1
means that scansion is faster.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from environment import HERE, Measured, alternating, heading, measure, median, python_of, ratios, table
from public_data import add_data_option, load, read_json, shuffled, write_json

FAMILIES = ("bag-of-words", "n-grams")
PEERS = {"scikit-learn": ("imdb",), "fasttext": ("ag_news", "imdb")}
COLUMNS = (
    "data | family | peer | >seconds | >peer's seconds | ratio of each pair | >median ratio "
    "| >processor seconds | >peer's | ratio of each pair | >median ratio | >accuracy | >peer's accuracy"
)


def fit_and_predict(family: str, path: str, seed: int) -> Measured:
    """One measurement of scansion."""
    from scansion import DocumentClassifier, NGrams

    kind = NGrams(static="none") if family == "n-grams" else family
    (texts, labels), (test_texts, test_labels) = read_json(path)
    DocumentClassifier("bag-of-words").fit(["a", "b"] * 20, ["a", "b"] * 20)  # what is imported late
    begun, worked = time.perf_counter(), time.process_time()
    answers = DocumentClassifier(kind, random_state=seed).fit(texts, labels).predict(test_texts)
    seconds, processor = time.perf_counter() - begun, time.process_time() - worked
    right = sum(answer == label for answer, label in zip(answers, test_labels, strict=True))
    return {"seconds": seconds, "processor": processor, "accuracy": 100 * right / len(test_labels)}


def row(name: str, family: str, peer: str, pairs: list[tuple[Measured, Measured]]) -> list[str]:
    """A line of the table."""
    ours, theirs = zip(*pairs, strict=True)
    told = [name, family, peer]
    for clock in ("seconds", "processor"):
        each = ratios(their[clock] / our[clock] for our, their in pairs)
        told += [f"{median(ours, clock):.1f}", f"{median(theirs, clock):.1f}", *each]
    return [
        *told, f"{median(ours, 'accuracy'):.2f}", f"{median(theirs, 'accuracy'):.2f}",
    ]


def main() -> None:
    """Every pair, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=PEERS)
    parser.add_argument("--sets", nargs="+", default=["imdb", "ag_news"])
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--rows", type=int, help="only so many rows of each part, to try the script")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", nargs=2, metavar=("FAMILY", "ROWS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(fit_and_predict(*given.one, given.seed)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for peer, name in [(each, name) for each in given.peers for name in PEERS[each] if name in given.sets]:
            python = python_of(peer)
            path = Path(folder) / f"{name}.json"
            parts = load(name, given.data, given.rows)
            if peer == "fasttext":  # it learns from one row after the other, and the file is sorted by label
                parts = [shuffled(part) for part in parts]
            write_json(path, *parts)
            for family in given.families:
                for described, script, arguments in settings(peer, family, given.seed):
                    pairs = alternating(
                        f"{name}, {family}, {described}", given.pairs,
                        lambda f=family, p=path: measure(
                            sys.executable, Path(__file__), "--seed", given.seed, "--one", f, p
                        ),
                        lambda s=script, a=arguments, p=path, python=python: measure(python, s, p, *a),
                    )
                    rows.append(row(name, family, described, pairs))
    print(heading("Counting families: fit and predict", given.seed, given.peers))
    print(table(COLUMNS, rows))


def settings(peer: str, family: str, seed: int) -> list[tuple[str, Path, tuple[object, ...]]]:
    """What of a peer a family is measured beside: its description, script and arguments."""
    if peer == "scikit-learn":
        return [("scikit-learn", HERE / "peers" / "sklearn_counting.py", (family,))]
    script = HERE / "peers" / "fasttext_labels.py"
    return [
        ("fastText, defaults", script, (1, seed)), ("fastText, wordNgrams=2", script, (2, seed)),
        ("fastText, wordNgrams=2, 25 epochs, rate 1", script, (2, seed, 25, 1.0)),
    ]


if __name__ == "__main__":
    main()
