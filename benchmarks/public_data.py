"""The public data sets of the benchmarks, as lists of texts and targets.

``--data FOLDER`` names the folder that holds them, a sub-folder each; where each comes from, its licence and its
splits are told in the SOURCE.md beside it. They are not part of this repository.
"""

import csv
import gzip
import json
import random
from argparse import ArgumentParser
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
Rows = tuple[list[str], list[str]]


def add_data_option(parser: ArgumentParser) -> None:
    """``--data FOLDER``."""
    parser.add_argument(
        "--data", type=Path, default=DATA, metavar="FOLDER", help="the data sets; ../shared/data beside the repository"
    )


def column(path: Path, text: str, target: str, keep: tuple[str, str] | None = None) -> Rows:
    """Texts and targets of a gzipped tab-separated table; ``keep`` is a column and the value its rows must have."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    rows = [row for row in rows if keep is None or row[keep[0]] == keep[1]]
    return [row[text] for row in rows], [row[target] for row in rows]


def load(name: str, data: Path, rows: int | None = None) -> tuple[Rows, Rows]:
    """Training and test rows of a data set; at most ``rows`` of each, drawn with seed 0, or all in their order."""
    if name == "mr":
        path = data / "mr" / "mr.tsv.gz"
        parts = [column(path, "text", "label", ("split_textgcn", part)) for part in ("train", "test")]
    else:
        training = "train_10k.tsv.gz" if name == "ag_news" else "train.tsv.gz"
        text, target = ("description" if name == "ag_news" else "text"), ("coarse" if name == "trec" else "label")
        parts = [column(data / name / part, text, target) for part in (training, "test.tsv.gz")]
    return drawn(parts[0], rows), drawn(parts[1], rows)


def drawn(part: Rows, rows: int | None) -> Rows:
    """At most ``rows`` rows in random order, seed 0; all in their own order if ``rows`` is None."""
    if rows is None:
        return part
    order = random.Random(0).sample(range(len(part[0])), min(rows, len(part[0])))
    return [part[0][i] for i in order], [part[1][i] for i in order]


def shuffled(part: Rows) -> Rows:
    """All rows in random order, seed 0: some files are sorted by label, and some peers read them in order."""
    return drawn(part, len(part[0]))


def write_json(path: Path, train: Rows, test: Rows) -> None:
    """What a measured process loads before its clock starts; see :func:`read_json`."""
    path.write_text(json.dumps({"train": train, "test": test}))


def read_json(path: str) -> tuple[Rows, Rows]:
    """Training and test rows."""
    stored = json.loads(Path(path).read_text())
    return tuple(stored["train"]), tuple(stored["test"])
