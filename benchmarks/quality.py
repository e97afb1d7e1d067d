"""Accuracy of every family on public data, with the defaults: the table of benchmarks/RESULTS.md.

    python benchmarks/quality.py                      all sets, families and seeds
    python benchmarks/quality.py --sets sst2 trec --families lstm --seeds 1
    python benchmarks/quality.py --regression         Pearson r beside scikit-learn's TF-IDF + Ridge
    python benchmarks/quality.py --table              what was measured so far, as a table

Each run is one process of one thread, ``--jobs`` of them side by side, and leaves a line in runs/quality.jsonl; what is
there already for the same defaults is not run again, so the script can be interrupted and goes on.
"""

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "shared" / "data"
RUNS = HERE / "runs" / "quality.jsonl"
COUNTED = ("bag-of-words", "n-grams")
FAMILIES = (*COUNTED, "rnn", "lstm", "transformer")
BARS = {
    "sst2": {"bag-of-words": 81.5, "n-grams": 83.4, "rnn": 81.0, "lstm": 82.0, "transformer": 79.0},
    "trec": {"bag-of-words": 86.0, "n-grams": 90.0, "rnn": 88.0, "lstm": 88.5, "transformer": 87.0},
    "mr": {"bag-of-words": 76.0, "n-grams": 78.0, "rnn": 75.5, "lstm": 76.0, "transformer": 74.0},
    "ag_news": {"bag-of-words": 87.5, "n-grams": 88.6, "rnn": 87.5, "lstm": 87.8, "transformer": 87.0},
    "imdb": {"bag-of-words": 88.8, "n-grams": 91.3, "lstm": 89.0, "transformer": 87.0},
}
Rows = tuple[list[str], list[str]]


def column(path: Path, text: str, target: str, keep: tuple[str, str] | None = None) -> Rows:
    """Texts and targets of a gzipped tab-separated table; ``keep`` is a column and the value its rows must have."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    rows = [row for row in rows if keep is None or row[keep[0]] == keep[1]]
    return [row[text] for row in rows], [row[target] for row in rows]


def load(name: str, data: Path) -> tuple[Rows, Rows]:
    """Training and test rows of a data set."""
    if name == "mr":
        path = data / "mr" / "mr.tsv.gz"
        return tuple(column(path, "text", "label", ("split_textgcn", part)) for part in ("train", "test"))
    training = "train_10k.tsv.gz" if name == "ag_news" else "train.tsv.gz"
    text, target = ("description" if name == "ag_news" else "text"), ("coarse" if name == "trec" else "label")
    return tuple(column(data / name / part, text, target) for part in (training, "test.tsv.gz"))


def recipe(family: str) -> str:
    """The defaults a run is a function of, so that a changed default is measured anew."""
    from scansion.families.catalogue import DOCUMENT_FAMILIES, configured
    from scansion.learning.training import recipe_of

    configuration = configured(family, DOCUMENT_FAMILIES)
    return json.dumps([asdict(configuration), asdict(recipe_of(configuration))], sort_keys=True)


def run(name: str, family: str, seed: int, data: Path) -> None:
    """Fit, score and leave a line."""
    import scansion

    (texts, labels), (test_texts, test_labels) = load(name, data)
    model = scansion.DocumentClassifier(family, random_state=seed, processes=1).fit(texts, labels)
    begun = time.perf_counter()
    accuracy = model.score(test_texts, test_labels)
    line = {
        "set": name, "family": family, "seed": seed, "accuracy": 100 * accuracy,
        "fit_seconds": model.fit_report_.seconds, "predict_seconds": time.perf_counter() - begun,
        "notes": model.fit_report_.notes, "recipe": recipe(family), "date": time.strftime("%Y-%m-%d"),
    }
    RUNS.parent.mkdir(exist_ok=True)
    with RUNS.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(f"{name} {family} seed {seed}: {100 * accuracy:.2f} ({model.fit_report_.seconds:.0f} s)", flush=True)


def measured() -> Iterator[dict]:
    """The lines left so far that belong to the present defaults."""
    if RUNS.exists():
        for line in map(json.loads, RUNS.read_text().splitlines()):
            if line["recipe"] == recipe(line["family"]):
                yield line


def table() -> str:
    """Mean accuracy, seeds and the bar of each cell."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    for line in measured():
        found.setdefault((line["set"], line["family"]), {})[line["seed"]] = line["accuracy"]
    lines = ["| data | family | mean | seeds | bar | |", "|---|---|---:|---|---:|---|"]
    for (name, family), seeds in sorted(found.items(), key=lambda item: (list(BARS).index(item[0][0]), item[0][1])):
        mean, bar = float(np.mean(list(seeds.values()))), BARS[name].get(family)
        each = ", ".join(f"{seeds[seed]:.2f}" for seed in sorted(seeds))
        verdict = "" if bar is None else "reached" if mean >= bar else f"**short by {bar - mean:.2f}**"
        lines.append(f"| {name} | {family} | {mean:.2f} | {each} | {'' if bar is None else bar} | {verdict} |")
    return "\n".join(lines)


def regression(data: Path, families: list[str], seeds: int) -> None:
    """Pearson r on the film snippets of VADER's ground truth, random 80/20, split by seed 0; of networks the mean."""
    from scipy.stats import pearsonr
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline

    import scansion

    texts, ratings = column(data / "vader_icwsm2014" / "movie.tsv.gz", "text", "mean_rating")
    parts = train_test_split(texts, np.array(ratings, float), test_size=0.2, random_state=0)
    train_texts, test_texts, train_ratings, test_ratings = parts
    peer = make_pipeline(TfidfVectorizer(), Ridge()).fit(train_texts, train_ratings)
    print(f"scikit-learn TF-IDF + Ridge: {pearsonr(peer.predict(test_texts), test_ratings)[0]:.4f}", flush=True)
    for family in families:
        found = []
        for seed in range(1 if family in COUNTED else seeds):
            model = scansion.DocumentRegressor(family, random_state=seed).fit(train_texts, train_ratings)
            found.append(pearsonr(model.predict(test_texts), test_ratings)[0])
        print(f"{family}: {np.mean(found):.4f} ({', '.join(f'{r:.4f}' for r in found)})", flush=True)


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="+", default=list(BARS), choices=list(BARS))
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--regression", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--one", nargs=3, metavar=("SET", "FAMILY", "SEED"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        run(given.one[0], given.one[1], int(given.one[2]), given.data)
        return
    if given.regression:
        regression(given.data, given.families, given.seeds)
        return
    if not given.table:
        done = {(line["set"], line["family"], line["seed"]) for line in measured()}
        wanted = [
            (name, family, seed)
            for seed in range(given.seeds) for name in given.sets for family in given.families
            if (family not in COUNTED or seed == 0) and family in BARS[name] and (name, family, seed) not in done
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with ThreadPoolExecutor(given.jobs) as pool:
            for job in wanted:
                command = [sys.executable, __file__, "--data", str(given.data), "--one", *map(str, job)]
                pool.submit(subprocess.run, command, env=environment, check=False)
    print(table())


if __name__ == "__main__":
    main()
