"""Explanations that add up and point at what matters, the head that does the work, and how long a look takes.

    python benchmarks/looking.py                             every part
    python benchmarks/looking.py --only explanations --families lstm

Explanations: every family is trained on sst2 with its defaults, and 100 test sentences drawn at random are explained.
Parts and base miss the score by the completeness error; where vectors are counted they must not, and the greatest
difference stands there.  The deletion test takes out the five tokens that add most, and five drawn at random, twenty
times; its share is that of the sentences whose answer falls further by the first than by the second on average.

Looks: the command as a user gives it, start-up included, on a sentence of 40 words.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from environment import HERE, heading, say, table
from public_data import Rows, add_data_option, load

import scansion

SENTENCES = 100
NAMES = {"0": "negative", "1": "positive"}
FAMILIES = {
    "bag-of-words": "bag-of-words", "n-grams": "n-grams", "rnn": "rnn", "lstm": "lstm", "transformer": "transformer",
    "frozen": scansion.Pretrained(mode="frozen"), "fine-tuned": scansion.Pretrained(mode="fine-tuned"),
}
LOOKS = 5
WORDS = 40


def trained(name: str, train: Rows) -> scansion.DocumentClassifier:
    """A family's model of sst2, kept for the next time."""
    place = HERE / "runs" / "looking" / name
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        labels = [NAMES[str(label)] for label in train[1]]
        scansion.DocumentClassifier(FAMILIES[name], random_state=0).fit(train[0], labels).save(place)
    return scansion.load(place)


def explained(name: str, train: Rows, test: Rows) -> list[str]:
    """A row of the table."""
    model = trained(name, train)
    texts = random.Random(0).sample(list(test[0]), SENTENCES)
    begun = time.perf_counter()
    found = [model.explain(text) for text in texts]
    seconds = (time.perf_counter() - begun) / len(texts)
    missing = [abs(each.base + each.contributions.sum() - each.score) for each in found]
    errors = [100 * each.completeness_error for each in found]
    further = [each.removed > np.mean(each.removed_at_random) for each in found]
    accuracy = 100 * model.score(test[0], [NAMES[str(label)] for label in test[1]])
    say(f"{name}: {errors}")
    return [
        name, f"{accuracy:.2f}", f"{max(missing):.1e}", f"{np.mean(errors):.3f}", f"{max(errors):.3f}",
        f"{100 * np.mean(further):.0f}", f"{np.mean([each.removed for each in found]):.3f}",
        f"{np.mean([np.mean(each.removed_at_random) for each in found]):.3f}", f"{1000 * seconds:.0f}",
    ]


def looked(name: str, train: Rows, test: Rows) -> list[str]:
    """A row of the table: the command, as a process of its own."""
    trained(name, train)
    text = " ".join(" ".join(test[0]).split()[:WORDS])
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "look.html"
        command = [sys.executable, "-m", "scansion", "look", str(HERE / "runs" / "looking" / name), text]
        taken = []
        for _ in range(LOOKS):
            begun = time.perf_counter()
            subprocess.run([*command, "--out", str(page)], check=True, capture_output=True)
            taken.append(time.perf_counter() - begun)
        return [name, f"{statistics.median(taken):.2f}", f"{max(taken):.2f}", f"{page.stat().st_size / 1e3:,.0f}"]


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("--only", choices=("explanations", "looks"))
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    given = parser.parse_args()
    train, test = load("sst2", given.data)
    print(heading("Looking at models", 0))
    if given.only != "looks":
        rows = [explained(name, train, test) for name in given.families]
        print(table(
            "family | >accuracy | >parts miss the score by, most | >completeness error, mean, % | >most, % "
            "| >top five fall further, % of sentences | >fall without top five | >without random five "
            "| >ms an explanation", rows,
        ))
    if given.only != "explanations":
        print(table("family | >look, s, median of 5 | >longest | >page, kB",
                    [looked(name, train, test) for name in given.families]))


if __name__ == "__main__":
    main()
