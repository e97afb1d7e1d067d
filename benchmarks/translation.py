"""Translation of Multi30k, English to German: the scores of every family, and of the Transformer on the raw text.

    python benchmarks/translation.py                             every family on the tokenised text, budget 86m each
    python benchmarks/translation.py --families lstm --budget 20m
    python benchmarks/translation.py --text raw --families transformer

Each is what a user runs: ``scansion fit train.en train.de --valid val.en val.de --family NAME`` with its defaults, and
``scansion evaluate`` on test_2016_flickr.  Validation pairs choose the epoch; the test set is read once, at the end.
The tokenised text is lower-cased and its BLEU the tokenised one, as in the papers; on the raw text it is sacreBLEU's.
Every run keeps its log and its model in ``benchmarks/runs``.
"""

import argparse
import gzip
import json
import subprocess
import sys
import time
from pathlib import Path

from environment import HERE, Measured, heading, say, table
from public_data import add_data_option

FAMILIES = ("transformer", "lstm", "rnn", "lstm-without-attention")
TEXTS = {"tokenised": "tok/{part}.lc.norm.tok.{language}", "raw": "{part}.{language}"}
PARTS = ("train", "val", "test_2016_flickr")
COLUMNS = (
    "text | family | >parameters | >seconds | >perplexity | >tokenised BLEU | >95 % interval | >sacreBLEU | >chrF2 "
    "| epochs"
)
WORDS = (8, 11, 14, 100)
"""Borders of the lengths, in words of the source, by which scores are told apart."""


def write_text(data: Path, text: str, folder: Path) -> None:
    """The files of one form of the text, unpacked."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        for language in ("en", "de"):
            path = data / "multi30k" / TEXTS[text].format(part=part, language=language)
            packed = path.with_name(f"{path.name}.gz")
            lines = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
            (folder / f"{part}.{language}").write_bytes(lines)


def run(folder: Path, family: str, seed: int, budget: str) -> Measured:
    """One training and its scores."""
    model, log = folder / f"{family}-{seed}", folder / f"{family}-{seed}.log"
    scansion = [sys.executable, "-m", "scansion"]
    fit = [
        *scansion, "fit", "train.en", "train.de", "--valid", "val.en", "val.de", "--family", family, "--random-state",
        str(seed), "--budget", budget, "--out", model.name, "--force", "--json",
    ]
    begun = time.monotonic()
    with log.open("w") as told:
        done = subprocess.run(fit, cwd=folder, stdout=subprocess.PIPE, stderr=told, text=True, check=True)
    seconds = time.monotonic() - begun
    score = [*scansion, "evaluate", model.name, "test_2016_flickr.en", "test_2016_flickr.de", "--json"]
    scores = json.loads(subprocess.run(score, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout)
    return {**json.loads(done.stdout), **scores, "seconds": seconds}


def by_length(folder: Path, family: str, seed: int) -> list[str]:
    """Tokenised BLEU of the test sentences by the words of their source."""
    import scansion
    from scansion.measures.bleu import bleu_counts, bleu_of

    sources, wanted = (
        (folder / f"test_2016_flickr.{language}").read_text(encoding="utf-8").splitlines() for language in ("en", "de")
    )
    found = scansion.load(folder / f"{family}-{seed}").predict(sources)
    counts = bleu_counts(found, wanted, "none")
    scores, least = [], 0
    for most in WORDS:
        mine = [least < len(source.split()) <= most for source in sources]
        scores.append(f"{float(bleu_of(counts[mine].sum(axis=0))):.1f} ({sum(mine)})")
        least = most
    return scores


def main() -> None:
    """Every run, then the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--text", default="tokenised", choices=list(TEXTS))
    parser.add_argument("--budget", default="86m")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    folder = HERE / "runs" / f"multi30k-{given.text}"
    write_text(given.data, given.text, folder)
    rows, lengths = [], []
    for family in given.families:
        found = run(folder, family, given.seed, given.budget)
        say(f"{family}: {json.dumps(found)}")
        tokenised, standard = found["bleu_tokenised"], found["sacrebleu"]
        interval = f"{standard['low']:.1f} to {standard['high']:.1f}"
        rows.append([
            given.text, family, f"{found['parameters']:,}", f"{found['seconds']:,.0f}", f"{found['perplexity']:.2f}",
            f"{tokenised:.2f}", interval, f"{standard['score']:.2f}", f"{found['chrf']:.2f}", "; ".join(found["notes"]),
        ])
        lengths.append([family, *by_length(folder, family, given.seed)])
    print(heading("Translation of Multi30k, English to German", given.seed))
    print(table(COLUMNS, rows))
    print(f"Interval and sacreBLEU: `{standard['signature']}`.\n")
    print(table("BLEU by words of the source (sentences) | >" + " | >".join(_ranges()), lengths))


def _ranges() -> list[str]:
    return [f"{least + 1} to {most}" for least, most in zip((0, *WORDS[:-2]), WORDS[:-1], strict=True)] + [
        f"{WORDS[-2] + 1} and more"
    ]


if __name__ == "__main__":
    main()
