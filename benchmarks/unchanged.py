"""Whether a change that should alter nothing alters nothing: predictions of every family before and after.

    python benchmarks/unchanged.py write before/       in the checkout before the change
    python benchmarks/unchanged.py write after/        in the checkout after it
    python benchmarks/unchanged.py compare before/ after/

``write`` trains every family with seed 0 and the defaults, one process of one thread each, ``--jobs`` of them side by
side, on sst2 and trec, and translators for three epochs on the first 4,000 pairs of multi30k; it leaves the predictions
and logits of the test rows.  ``compare`` prints the share of equal predictions and the largest difference of a logit.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from public_data import add_data_option, load

DOCUMENTS = ("bag-of-words", "n-grams", "rnn", "lstm", "transformer", "frozen", "fine-tuned")
JOBS = [
    *((name, family) for name in ("trec", "sst2") for family in DOCUMENTS if (name, family) != ("sst2", "fine-tuned")),
    *(("multi30k", family) for family in ("transformer", "lstm", "rnn")),
]
PAIRS, VALIDATION, EPOCHS = 4_000, 200, 3


def documents(name: str, family: str, data: Path) -> tuple[list[str], list]:
    """Predictions and logits of the test rows."""
    import scansion

    (texts, labels), (test, _) = load(name, data)
    pretrained = {mode: scansion.Pretrained(mode=mode) for mode in ("frozen", "fine-tuned")}
    model = scansion.DocumentClassifier(pretrained.get(family, family), random_state=0, processes=1)
    model.fit(texts, labels)
    return list(map(str, model.predict(test))), model.decision_function(test).tolist()


def translations(family: str, data: Path) -> tuple[list[str], list]:
    """Translations of the first validation sentences."""
    import scansion

    def lines(name: str, count: int) -> list[str]:
        with gzip.open(data / "multi30k" / name, "rt", encoding="utf-8") as file:
            return file.read().split("\n")[:count]

    training = scansion.TranslationTraining(max_epochs=EPOCHS)
    model = scansion.Translator(family, training=training, random_state=0, processes=1)
    model.fit(lines("train.en.gz", PAIRS), lines("train.de.gz", PAIRS))
    return model.predict(lines("val.en.gz", VALIDATION)), []


def write_one(folder: Path, name: str, family: str, data: Path) -> None:
    """One family on one set."""
    begun = time.perf_counter()
    found, logits = translations(family, data) if name == "multi30k" else documents(name, family, data)
    line = {"predictions": found, "logits": logits, "seconds": time.perf_counter() - begun}
    (folder / f"{name}.{family}.json").write_text(json.dumps(line))
    print(f"{name} {family}: {line['seconds']:.0f} s", flush=True)


def compare(before: Path, after: Path) -> None:
    """A line a family and set."""
    for file in sorted(after.glob("*.json")):
        then, now = (json.loads((folder / file.name).read_text()) for folder in (before, after))
        same = np.mean([a == b for a, b in zip(then["predictions"], now["predictions"], strict=True)])
        apart = np.abs(np.array(then["logits"]) - np.array(now["logits"])).max(initial=0.0)
        print(f"{file.stem:26} {100 * same:7.2f} % equal   largest difference of a logit {apart:.2g}   "
              f"{then['seconds']:.0f} s, {now['seconds']:.0f} s")


def main() -> None:
    """Write, or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("write", "compare"))
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--one", nargs=2, metavar=("SET", "FAMILY"), help=argparse.SUPPRESS)
    add_data_option(parser)
    given = parser.parse_args()
    if given.what == "compare":
        compare(*given.folders)
        return
    (folder,) = given.folders
    folder.mkdir(parents=True, exist_ok=True)
    if given.one:
        write_one(folder, *given.one, given.data)
        return
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with ThreadPoolExecutor(given.jobs) as pool:
        for job in JOBS:
            command = [sys.executable, __file__, "write", str(folder), "--data", str(given.data), "--one", *job]
            pool.submit(subprocess.run, command, env=environment, check=False)


if __name__ == "__main__":
    main()
