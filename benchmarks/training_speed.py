"""Training speed of LSTM and Transformer beside a plain PyTorch loop: real tokens a second, padding not counted.

    python benchmarks/training_speed.py                                 sst2, and 2,000 reviews of imdb
    python benchmarks/training_speed.py --rows 300 --pairs 1 --sets sst2

scansion's side is what a user runs, ``DocumentClassifier(family).fit`` with its defaults, in as many processes as it
chooses; its seconds are those of the loop, with the held-out part read after every epoch. The whole fit, with reading,
spelling and the start of its processes, stands beside it.

The peer is ``peers/plain_torch.py`` in the same environment, hence the same torch: random batches, padding to the
longest row, ``nn.Embedding``, ``nn.Dropout``, ``nn.LSTM`` over the padded batch or ``nn.TransformerEncoder``, AdamW as
it comes, with one thread a processor. It gets the same documents, words, widths, rates and epochs, and as many rows a
batch as scansion has on average, hence as many tokens and steps. It reads no held-out part. There are two of it:

    words         a vector a word and no pieces: less work than scansion does, and what a tutorial writes
    words+pieces  the same parameters as scansion's, a word being its own vector plus the mean of its pieces'

Its accuracy is printed to show that it learns. Runs alternate; a ratio above 1 means that scansion is faster.
"""

import argparse
import json
import re
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
from environment import HERE, Measured, alternating, cores, heading, measure, median, ratios, table
from public_data import add_data_option, load, read_json, shuffled, write_json

FAMILIES = ("lstm", "transformer")
ROWS = {"sst2": None, "imdb": 2_000}
PLAIN = ("words", "words+pieces")
COLUMNS = (
    "data | family | peer | >tokens/s | >peer's tokens/s | ratio of each pair | >median ratio | >processes "
    "| >loop s | >whole fit s | >peer's loop s | >parameters | >peer's parameters | >accuracy | >peer's accuracy"
)


def train(family: str, path: str, seed: int) -> Measured:
    """One measurement of scansion."""
    from scansion.tasks.classifier import DocumentClassifier

    (texts, labels), (test_texts, test_labels) = read_json(path)
    model = DocumentClassifier(family, random_state=seed)
    tokens, epoch = 0, None
    for event in model.fitting(texts, labels):
        if event.name == "stage" and (found := re.match(r"training on ([\d,]+) tokens", event.message)):
            tokens = int(found[1].replace(",", ""))
        elif event.name == "epoch":
            epoch = event
    report = model.fit_report_
    return {
        "tokens_per_second": tokens * epoch.number / epoch.seconds, "seconds": epoch.seconds, "epochs": epoch.number,
        "fit_seconds": report.seconds, "processes": max(1, report.workers), "parameters": report.parameters,
        "accuracy": 100 * model.score(test_texts, test_labels),
    }


def write_plain(folder: Path, family: str, path: Path, seed: int) -> None:
    """The peer's runs: documents as numbers, and the same configuration with and without pieces."""
    from scansion.families.catalogue import DOCUMENT_FAMILIES, configured
    from scansion.learning.training import Training
    from scansion.text.batches import epoch_plan
    from scansion.text.vocabulary import Vocabulary
    from scansion.text.word_tokenizer import read_words

    parts = read_json(str(path))
    (texts, labels), (test_texts, _) = parts
    corpus = read_words([*texts, *test_texts])
    vocabulary = Vocabulary.learn(read_words(texts))
    sequences, index = vocabulary.encode(corpus), vocabulary.index(corpus.types)
    classes = sorted(set(labels))
    arrays = {"words": index.words, "pieces": index.char_ngrams, "borders": index.offsets}  # the peer's own names
    rows = {"train": np.arange(len(texts)), "test": np.arange(len(texts), len(corpus))}
    for (name, chosen), (_, answers) in zip(rows.items(), parts, strict=True):
        lengths = sequences.lengths[chosen]
        arrays[f"{name}_offsets"] = np.concatenate([[0], np.cumsum(lengths)])
        begins = sequences.starts[chosen]
        rows_ids = [sequences.ids[a : a + n] for a, n in zip(begins, lengths, strict=True)]
        arrays[f"{name}_ids"] = np.concatenate(rows_ids) + sequences.first
        arrays[f"{name}_labels"] = np.searchsorted(classes, answers)
    np.savez(folder / "plain.npz", **arrays)
    training, lengths = Training(), sequences.lengths[rows["train"]]
    tokens = int(lengths.sum())
    batches = epoch_plan(lengths, training.batch_tokens(tokens), seed, 0)
    run = {
        "family": family, "options": asdict(configured(family, DOCUMENT_FAMILIES)),
        "training": asdict(training), "seed": seed,
        "words": len(vocabulary), "outputs": 1 if len(classes) == 2 else len(classes), "threads": cores(),
        "longest": int(sequences.lengths.max()), "epochs": training.epochs(tokens),
        "rows_a_batch": round(len(lengths) / len(batches)),
    }
    for kind, pieces in zip(PLAIN, (0, len(vocabulary.char_ngrams)), strict=True):
        (folder / f"{kind}.json").write_text(json.dumps({**run, "pieces": pieces}))


def row(name: str, family: str, kind: str, pairs: list[tuple[Measured, Measured]]) -> list[str]:
    """A line of the table."""
    ours, theirs = zip(*pairs, strict=True)
    each, middle = ratios(our["tokens_per_second"] / their["tokens_per_second"] for our, their in pairs)
    return [
        name, family, kind, f"{median(ours, 'tokens_per_second'):,.0f}", f"{median(theirs, 'tokens_per_second'):,.0f}",
        each, middle, ours[0]["processes"], f"{median(ours, 'seconds'):.1f}", f"{median(ours, 'fit_seconds'):.1f}",
        f"{median(theirs, 'seconds'):.1f}", f"{ours[0]['parameters']:,}", f"{theirs[0]['parameters']:,}",
        f"{median(ours, 'accuracy'):.2f}", f"{median(theirs, 'accuracy'):.2f}",
    ]


def main() -> None:
    """Every pair, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_option(parser)
    parser.add_argument("--sets", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--plain", nargs="+", default=list(PLAIN), choices=PLAIN)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--rows", type=int, help="rows of each part, in place of the script's own choice")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", nargs=2, metavar=("FAMILY", "ROWS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(train(*given.one, given.seed)))
        return
    rows = []
    for name in given.sets:
        for family in given.families:
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                parts = load(name, given.data, given.rows or ROWS[name])
                write_json(folder / "rows.json", *(shuffled(part) for part in parts))
                write_plain(folder, family, folder / "rows.json", given.seed)
                for kind in given.plain:
                    ours = (Path(__file__), "--seed", given.seed, "--one", family, folder / "rows.json")
                    theirs = (HERE / "peers" / "plain_torch.py", folder / "plain.npz", folder / f"{kind}.json")
                    pairs = alternating(
                        f"{name}, {family}, {kind}", given.pairs,
                        lambda script=ours: measure(sys.executable, *script),
                        lambda script=theirs: measure(sys.executable, *script),
                    )
                    rows.append(row(name, family, kind, pairs))
    print(heading("Training speed beside a plain PyTorch loop", given.seed))
    print(table(COLUMNS, rows))


if __name__ == "__main__":
    main()
