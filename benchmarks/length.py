"""Cost against length: seconds and memory of one forward pass over a document of 64 to 16,384 tokens.

    python benchmarks/length.py
    python benchmarks/length.py --families lstm --longest 1024 --rows 200

Every family first learns from ``--rows`` reviews of imdb (readers for one epoch: what they answer does not matter here)
and is saved; then every length of every family is a process of its own that loads the model folder, reads a short
document to wake the libraries, and then answers one document of reviews strung together and cut to the length.

    counted families   words -> vector -> scores
    readers            token numbers -> scores, by the path that ``predict`` takes

Time is the median of ``--repeats`` passes. Memory is the increase of the process's resident set at its highest during
the first pass over what it was just before. The exponent is the slope of a straight line through the logarithms over
the upper half of the lengths: 1 is linear, 2 is quadratic. There is no peer.

The Transformer stands there twice: as it comes, reading what is longer than its ``longest`` in overlapping windows, and
reading everything in one piece. Increases below a tenth of a megabyte are not told from nothing, and left out of fits.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from environment import Measured, heading, measure, say, table
from public_data import add_data_option, load, shuffled

SHORTEST, LONGEST = 64, 16_384
SHORT_DOCUMENT = 32
IN_ONE_PIECE = "transformer, one piece"
FAMILIES = ("bag-of-words", "n-grams", "rnn", "lstm", "transformer", IN_ONE_PIECE)
MEGABYTE = 1 << 20
SMALLEST_INCREASE = 0.1  # megabytes: a page here and there


def learn(family: str, rows: int, data: Path, folder: Path, seed: int) -> None:
    """Leave a model folder."""
    from scansion.families.catalogue import DOCUMENT_FAMILIES, configured
    from scansion.learning.training import Training
    from scansion.tasks.classifier import DocumentClassifier

    configuration = configured(family.split(",")[0], DOCUMENT_FAMILIES)
    if family == IN_ONE_PIECE:
        configuration = replace(configuration, max_length=LONGEST)
    training = Training(min_epochs=1, max_epochs=1)
    texts, labels = load("imdb", data, rows)[0]
    model = DocumentClassifier(configuration, training=training, processes=1, random_state=seed).fit(texts, labels)
    model.save(folder)


def forward(folder: str, words: str, length: int, repeats: int) -> Measured:
    """One measurement: a document of ``length`` tokens, answered by the model in ``folder``."""
    from scansion.tasks.catalogue import load as load_model

    text = json.loads(Path(words).read_text())
    model = load_model(folder).fitted_.model
    answer(model, " ".join(text[:SHORT_DOCUMENT]))()
    document = answer(model, " ".join(text[:length]))
    forget_peak()
    before = resident("VmRSS")
    seconds = [timed(document)]
    increase = resident("VmHWM") - before
    seconds += [timed(document) for _ in range(repeats - 1)]
    return {"seconds": statistics.median(seconds), "megabytes": increase / MEGABYTE}


def answer(model: object, text: str) -> Callable[[], object]:
    """The forward pass over a text, with everything before it done."""
    from scansion.learning.document_network import logits_of
    from scansion.text.word_tokenizer import read_words

    corpus = read_words([text])
    if not hasattr(model, "network"):
        return lambda: model.linear.logits(model.vectors.vectors(corpus))
    network = model.network.using(model.vocabulary.index(corpus.types))
    sequences = model.vocabulary.encode(corpus)
    return lambda: logits_of(network, sequences, model.max_length)


def timed(act: Callable[[], object]) -> float:
    """Seconds."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def forget_peak() -> None:
    """From now on Linux counts this process's highest resident set anew."""
    Path("/proc/self/clear_refs").write_text("5")


def resident(kind: str) -> int:
    """Bytes: ``VmRSS`` is the resident set now, ``VmHWM`` its peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(kind + ":"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"/proc/self/status has no {kind}; memory is measured on Linux only.")


def exponent(lengths: list[int], costs: list[float], smallest: float = 0.0) -> str:
    """The slope in logarithms over the upper half."""
    upper = list(zip(lengths, costs, strict=True))[len(lengths) // 2 :]
    kept = [(length, cost) for length, cost in upper if cost > smallest]
    if len(kept) < 2:
        return "-"
    return f"{np.polyfit(*np.log(np.array(kept)).T, 1)[0]:.2f}"


def main() -> None:
    """Every family and length, then two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES, metavar="FAMILY")
    parser.add_argument("--longest", type=int, default=LONGEST, help="the longest document, in tokens")
    parser.add_argument("--rows", type=int, default=1_000, help="reviews to learn from")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", nargs=4, metavar=("FOLDER", "WORDS", "LENGTH", "REPEATS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        folder, words, length, repeats = given.one
        print(json.dumps(forward(folder, words, int(length), int(repeats))))
        return
    lengths = [SHORTEST << i for i in range((given.longest // SHORTEST).bit_length())]
    found: dict[str, list[Measured]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        words = Path(temporary) / "words.json"
        words.write_text(json.dumps(document(given.data, lengths[-1])))
        for family in given.families:
            folder = Path(temporary) / family.replace(", ", "-")
            say(f"{family}: learning from {given.rows} reviews")
            learn(family, given.rows, given.data, folder, given.seed)
            found[family] = []
            for length in lengths:
                one = (Path(__file__), "--one", folder, words, length, given.repeats)
                found[family].append(measure(sys.executable, *one))
                say(f"{family}, {length} tokens: {json.dumps(found[family][-1])}")
    print(heading("Cost against length: one document, one forward pass", given.seed))
    columns = "family | " + " | ".join(f">{length:,}" for length in lengths) + " | >exponent"
    rows = {"seconds": [], "megabytes": []}
    for family, runs in found.items():
        seconds, megabytes = ([run[kind] for run in runs] for kind in rows)
        rows["seconds"].append([family, *(f"{1000 * each:.2f}" for each in seconds), exponent(lengths, seconds)])
        fitted = exponent(lengths, megabytes, SMALLEST_INCREASE)
        rows["megabytes"].append([family, *(f"{each:.1f}" for each in megabytes), fitted])
    print("Milliseconds, by tokens:\n\n" + table(columns, rows["seconds"]))
    print("Megabytes above what the process held before, at the peak:\n\n" + table(columns, rows["megabytes"]))


def document(data: Path, length: int) -> list[str]:
    """The words of test reviews one after the other, ``length`` of them."""
    from scansion.text.word_tokenizer import read_words

    texts, _ = shuffled(load("imdb", data)[1])
    corpus = read_words(texts[: length // 10])
    return [corpus.types[i] for i in corpus.ids[:length]]


if __name__ == "__main__":
    main()
