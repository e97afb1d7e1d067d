"""Smoothed n-grams beside KenLM: perplexity, seconds to estimate, memory, and queries a second.

    python benchmarks/language_ngrams.py --kenlm FOLDER            FOLDER/lmplz, build_binary, query: built from source
    python benchmarks/language_ngrams.py --kenlm FOLDER --cases "characters 6"
    python benchmarks/language_ngrams.py --units                   bits per byte by unit and order, without KenLM

KenLM (https://github.com/kpu/kenlm) is estimated by ``lmplz -S 1G``, with ``--discount_fallback`` for what it refuses
without, and scored by ``query``. Both read the same file of tokens, a document a line, with the same vocabulary: what
is not among the training tokens is one unknown token. tinyshakespeare is parted at its empty lines; of its characters
the first 90 % are learned and the last 10 % scored. Of imdb 25,000 reviews are learned and 2,000 scored.

The time of scansion is that of reading the file, counting, estimating and writing the arrays; that of KenLM is the time
of ``lmplz``, which reads the file and writes an ARPA file. Both run in turn, each in a process of its own. Queries are
those of the scored tokens at once, and of ``query`` on the probing binary, reading the file and loading included; a
second of theirs is one of the processor.
"""

import argparse
import gzip
import json
import math
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from environment import Measured, alternating, heading, measure, median, ratios, say, table
from public_data import add_data_option, load

CASES = {
    "characters 5": ("tinyshakespeare", "characters", 5), "characters 6": ("tinyshakespeare", "characters", 6),
    "words 3": ("tinyshakespeare", "words", 3), "imdb words 3": ("imdb", "words", 3),
    "imdb words 5": ("imdb", "words", 5),
}
COLUMNS = (
    "data | tokens | >order | >perplexity | >KenLM's | >difference | >nats a character | >seconds | >KenLM's "
    "| ratio of each pair | >memory, MB | >KenLM's | >queries a second | >KenLM's | fallback"
)
UNITS = {
    "tinyshakespeare": [("characters", order) for order in range(4, 9)] + [("bytes", 7), ("words", 3), ("subwords", 4)],
    "imdb": [("words", 3), ("words", 5), ("subwords", 4), ("subwords", 6), ("characters", 6), ("characters", 8)],
}
UNIT_COLUMNS = "data | tokens | >vocabulary | >order | >bits per byte | >95 % interval | >seconds | >n-grams"
WORD = re.compile(r"\w+|[^\w\s]")
UNKNOWN, BEGIN, END, FIRST = 0, 1, 2, 3
SCORED_REVIEWS = 2_000


def documents(data: Path, name: str) -> tuple[list[str], list[str]]:
    """Those to learn from and those to score."""
    if name == "imdb":
        (train, _), (test, _) = load("imdb", data)
        return train, test[:SCORED_REVIEWS]
    text = gzip.decompress((data / "tinyshakespeare" / "input.txt.gz").read_bytes()).decode()
    border = len(text) * 9 // 10
    return text[:border].split("\n\n"), text[border:].split("\n\n")


def write_tokens(path: Path, texts: list[str], tokens: str) -> int:
    """A document a line, tokens between blanks; how many characters the documents have with their ends."""
    with path.open("w", encoding="utf-8") as file:
        for text in texts:
            found = WORD.findall(text) if tokens == "words" else [f"{ord(character):x}" for character in text]
            file.write(" ".join(found) + "\n")
    return sum(map(len, texts)) + 2 * (len(texts) - 1)


def read_tokens(path: Path, numbers: dict[str, int], learn: bool) -> np.ndarray:
    """The stream of a file's tokens between BEGIN and END."""
    stream: list[int] = []
    for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
        words = line.split()
        if learn:
            for word in words:
                numbers.setdefault(word, FIRST + len(numbers))
        stream += [BEGIN, *(numbers.get(word, UNKNOWN) for word in words), END]
    return np.array(stream, np.int32)


def ours(train: Path, test: Path, order: int) -> Measured:
    """One measurement of scansion."""
    from safetensors.numpy import save_file

    from scansion.families.kneser_ney import KneserNey

    begun, numbers = time.perf_counter(), {}
    stream = read_tokens(train, numbers, learn=True)
    unseen = np.full(FIRST + len(numbers), 1 / (2 + len(numbers)))
    unseen[BEGIN] = 0
    model, remarks = KneserNey(order).learn(stream, unseen, BEGIN)
    save_file(model.state(), str(train) + ".safetensors")
    seconds = time.perf_counter() - begun
    scored = read_tokens(test, numbers, learn=False)
    begun = time.process_time()
    nats = -float(model.log_probabilities(scored).sum())
    queried = time.process_time() - begun
    asked = int((scored != BEGIN).sum())
    return {
        "seconds": seconds, "perplexity": math.exp(nats / asked), "nats": nats, "rate": asked / queried,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, "asked": asked,
        "fallback": "; ".join(remark.split(":")[0] for remark in remarks) or "none",
        "ngrams": sum(len(each.keys) for each in model.orders),
    }


def time_of_children() -> float:
    """The processor seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def kenlm(folder: Path, train: Path, test: Path, order: int, fallback: bool) -> Measured:
    """One measurement of KenLM."""
    arpa, binary = train.with_suffix(".arpa"), train.with_suffix(".binary")
    command = [str(folder / "lmplz"), "-o", str(order), "-S", "1G", "-T", str(train.parent)]
    begun = time.perf_counter()
    with train.open() as given, arpa.open("w") as written:
        done = subprocess.run(
            [*command, *(["--discount_fallback"] if fallback else [])], stdin=given, stdout=written,
            stderr=subprocess.PIPE, text=True, check=True,
        )
    seconds = time.perf_counter() - begun
    resident = re.findall(r"RSSMax:(\d+) kB", done.stderr)
    subprocess.run([folder / "build_binary", "probing", arpa, binary], check=True, capture_output=True)
    begun = time_of_children()
    with test.open() as given:
        told = subprocess.run(
            [folder / "query", "-v", "summary", binary], stdin=given, capture_output=True, text=True, check=True
        ).stdout
    queried = time_of_children() - begun
    perplexity = float(re.search(r"Perplexity including OOVs:\s*(\S+)", told)[1])
    asked = int(re.search(r"Tokens:\s*(\d+)", told)[1])
    return {
        "seconds": seconds, "perplexity": perplexity, "rate": asked / queried, "asked": asked,
        "memory": int(resident[-1]) / 1e3 if resident else math.nan,
    }


def row(case: str, characters: int, pairs: list[tuple[Measured, Measured]]) -> list[str]:
    """A line of the table."""
    name, tokens, order = CASES[case]
    mine, theirs = zip(*pairs, strict=True)
    each, _ = ratios(our["seconds"] / their["seconds"] for our, their in pairs)
    ratio = mine[0]["perplexity"] / theirs[0]["perplexity"] - 1
    return [
        name, tokens, str(order), f"{mine[0]['perplexity']:.4f}", f"{theirs[0]['perplexity']:.4f}", f"{ratio:+.4%}",
        f"{mine[0]['nats'] / characters:.4f}" if tokens == "characters" else "-",
        f"{median(mine, 'seconds'):.1f}", f"{median(theirs, 'seconds'):.1f}", each,
        f"{median(mine, 'memory'):,.0f}", f"{median(theirs, 'memory'):,.0f}", f"{median(mine, 'rate'):,.0f}",
        f"{median(theirs, 'rate'):,.0f}", mine[0]["fallback"],
    ]


def by_units(data: Path) -> list[list[str]]:
    """Lines of the table of units, each a fit by the defaults."""
    from scansion.families.kneser_ney import KneserNey
    from scansion.tasks.language_model import LanguageModel

    rows = []
    for name, cases in UNITS.items():
        learned, scored = documents(data, name)
        for tokens, order in cases:
            model = LanguageModel(KneserNey(order), tokens=tokens).fit(learned)
            score, fitted = model.evaluate(scored), model.fitted_
            rows.append([
                name, tokens, f"{len(fitted.units):,}", str(order), f"{score.bits_per_byte:.4f}",
                f"{score.low:.3f} to {score.high:.3f}", f"{model.fit_report_.seconds:.1f}",
                f"{sum(len(each.keys) for each in fitted.model.orders):,}",
            ])
            say(" | ".join(rows[-1]))
    return rows


def main() -> None:
    """Every case, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("--kenlm", type=Path, metavar="FOLDER", help="where lmplz, build_binary and query are")
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--units", action="store_true", help="bits per byte by unit and order")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--one", nargs=3, metavar=("TRAIN", "TEST", "ORDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        train, test, order = given.one
        print(json.dumps(ours(Path(train), Path(test), int(order))))
        return
    if given.units:
        print(heading("Units and orders of n-grams", "none is drawn"))
        print(table(UNIT_COLUMNS, by_units(given.data)))
        return
    if given.kenlm is None:
        parser.error("give --kenlm, or --units")
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for case in given.cases:
            name, tokens, order = CASES[case]
            train, test = Path(scratch) / "train.txt", Path(scratch) / "test.txt"
            learned, scored = documents(given.data, name)
            write_tokens(train, learned, tokens)
            characters = write_tokens(test, scored, tokens)
            say(f"{case}: {len(learned):,} and {len(scored):,} documents")
            pairs = alternating(
                case, given.pairs,
                lambda a=train, b=test, n=order: measure(sys.executable, Path(__file__), "--one", a, b, n),
                lambda a=train, b=test, n=order, t=tokens: kenlm(given.kenlm, a, b, n, t == "characters"),
            )
            rows.append(row(case, characters, pairs))
    print(heading("Smoothed n-grams beside KenLM", "none is drawn"))
    print(table(COLUMNS, rows))


if __name__ == "__main__":
    main()
