"""Language models of imdb's reviews as 5,000 subwords: bits per byte of every family after equal time.

    python benchmarks/language_imdb.py --data DATA --out FOLDER --families interpolated,lstm,gru,rnn --budget 20m
    python benchmarks/language_imdb.py --out FOLDER

Each network learns the 25,000 training reviews for so long, in processor seconds of one process so that a busy machine
changes nothing; n-grams take what they take, those of the interpolated model after its network.  The bits of the first
2,000 test reviews are kept in FOLDER, the same as in language_ngrams.py (all of them negative, as the file has them);
the interpolated model gives those of its parts too.  Without ``--families`` the table of what FOLDER holds: intervals
over reviews, pairwise tests as ``scansion compare`` makes them, and letters that families share which are not
significantly different.
"""

import argparse
import time
from itertools import combinations
from pathlib import Path

import numpy as np
from language_networks import configuration, processor_seconds
from numpy.typing import NDArray
from public_data import add_data_option, load

import scansion
from scansion.measures.bits_per_byte import bits_interval, paired_bits
from scansion.measures.paired import all_pairs, compact_letters
from scansion.models.fitted_language import document_sizes
from scansion.tasks.language_model import ROWS

TESTED = 2_000
SUBWORDS = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_data_option(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="holds each family's bits")
    parser.add_argument("--families", default="")
    parser.add_argument("--budget", default="20m")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="of the network")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if not given.families:
        show(given.out)
        return
    time.monotonic = time.process_time
    (train, _), (test, _) = load("imdb", given.data)
    for family in given.families.split(","):
        learn(family, given.set, given.budget, train, test[:TESTED], given.out)


def learn(family: str, settings: list[str], budget: str, train: list[str], test: list[str], out: Path) -> None:
    """Fit it, and keep the bits of the test reviews, those of its parts too."""
    used, name = processor_seconds(), "".join([family, *(f", {each}" for each in settings)])
    model = scansion.LanguageModel(
        configuration(family, settings), tokens="subwords", vocab_size=SUBWORDS, budget=budget, processes=1
    )
    for event in model.fitting(train):
        if event.name in ("stage", "epoch"):
            print(f"  {event.message}", flush=True)
    used = processor_seconds() - used
    sizes = np.array(document_sizes(test, ROWS))
    np.savez(out / f"{name}.npz", bits=model.bits(test), sizes=sizes, seconds=used)
    report = model.fit_report_
    print(f"{name}: {bits_interval([model.bits(test)], sizes).score:.4f} bits per byte, {used:.0f} s, "
          f"{report.parameters:,} parameters; {'; '.join(report.notes)}", flush=True)
    if family == "interpolated":
        sequences, both = model.fitted_.encode(test), model.fitted_.model
        for part, each in (("n-grams", both.counted), ("transformer", both.network)):
            bits = -np.add.reduceat(each.log_probabilities(sequences.ids), sequences.starts) / np.log(2)
            np.savez(out / f"{part} of {name}.npz", bits=bits, sizes=sizes, seconds=np.nan)
            print(f"  {part}: {bits.sum() / sizes.sum():.4f}", flush=True)


def show(out: Path) -> None:
    """The table of all that was kept, best first, and the difference of every pair."""
    found: dict[str, list[NDArray]] = {}
    seconds, sizes = {}, np.zeros(0)
    for path in out.glob("*.npz"):
        kept = np.load(path)
        found[path.stem], seconds[path.stem], sizes = [kept["bits"]], float(kept["seconds"]), kept["sizes"]
    scores = {name: bits_interval(bits, sizes) for name, bits in found.items()}
    order = sorted(found, key=lambda name: scores[name].score)
    pairs, adjusted = all_pairs(order, lambda a, b: paired_bits(found[a], found[b], sizes))
    letters = compact_letters(order, [-scores[name].score for name in order], adjusted)
    print("| family | bits per byte | 95 % interval | letters | processor seconds |\n|---|---:|---|---|---:|")
    for name in order:
        score = scores[name]
        print(f"| {name} | {score.score:.4f} | {score.low:.4f} to {score.high:.4f} | {letters[name]} | "
              f"{seconds[name]:.0f} |".replace("nan", "in the model's"))
    for first, second in combinations(order, 2):
        pair = pairs[first, second]
        print(f"{first} less {second}: {pair.difference:+.4f} ({pair.low:+.4f} to {pair.high:+.4f}), "
              f"p {adjusted[order.index(first), order.index(second)]:.2g}")


if __name__ == "__main__":
    main()
