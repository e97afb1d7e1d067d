"""``scansion predict``: one answer a line, in the order of the input."""

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from scipy.sparse import issparse, save_npz

from scansion.cli.lines import arriving_lines, is_plain
from scansion.cli.options import Beam, Engine, Model, Precision, TextColumn
from scansion.cli.telling import say
from scansion.cli.translation import print_translations, run_by
from scansion.errors import StorageError, UsageError
from scansion.text.documents import read_documents, read_lines

DOCUMENTS_AT_A_TIME = 4_096
STANDARD_INPUT = "-"

EXAMPLES = """Examples:
  scansion predict model new.csv                    a label or number a line
  scansion predict model new.csv --proba            and the probability of each label
  scansion predict model new.jsonl --json           a JSON object a line
  echo "a quiet marvel" | scansion predict model    plain lines: a document each, answered as they come
  scansion predict model new.csv --vectors new.npy  the vectors it makes of them, for other programs
  scansion predict translator test.en > test.de     a translation a line
  scansion predict translator test.en --engine ctranslate2 --precision int8

Several labels are joined by | (--label-separator). --proba and --read add columns, tab-separated, under a header
line. A line break, tab or backslash in a label is written \\n, \\t or \\\\.
"""


def predict(
    model: Model,
    data: Annotated[str | None, typer.Argument(metavar="DATA", help="A table, or plain text with a document a line "
                                               "(.txt, or standard input).")] = None,
    text: TextColumn = None,
    proba: Annotated[bool, typer.Option("--proba", help="Add the probability of every label.")] = False,
    read: Annotated[bool, typer.Option("--read", help="Add how many tokens the model knew, and how many there "
                                       "were.")] = False,
    label_separator: Annotated[str, typer.Option("--label-separator", help="What to put between labels.")] = "|",
    vectors: Annotated[Path | None, typer.Option("--vectors", metavar="FILE", help="Write the vectors that the model "
                                                 "makes of the documents, a row each: .npy, or .npz where words are "
                                                 "counted. Nothing is printed.")] = None,
    beam: Beam = None,
    engine: Engine = None,
    precision: Precision = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Answer every document: one line each, in order."""
    if data in (None, STANDARD_INPUT) and (sys.stdin is None or (data is None and sys.stdin.isatty())):
        raise UsageError(f"There is nothing to answer. Name a table or a text file, scansion predict {model} new.csv, "
                         "or pipe lines in; - reads what you type.")
    from scansion.tasks.loading import load

    estimator = load(model)
    if hasattr(estimator, "translate"):
        if proba or read or as_json or text is not None or vectors is not None:
            raise UsageError(f"{model} is a translator and writes lines. Leave out --proba, --read, --vectors, --json "
                             "and --text.")
        print_translations(run_by(engine, precision, estimator), _lines(data or STANDARD_INPUT), beam)
        return
    estimator = run_by(engine, precision, estimator)
    if proba and not hasattr(estimator, "predict_proba"):
        raise UsageError(f"{model} answers with numbers, which have no probabilities. Leave out --proba.")
    parts = _parts(data or STANDARD_INPUT, text)
    if vectors is not None:
        if proba or read or as_json:
            raise UsageError("--vectors writes vectors and no answers. Leave out --proba, --read and --json.")
        _write_vectors(estimator, parts, vectors)
        return
    labels = [str(label) for label in getattr(estimator, "classes_", [])]
    if not as_json and (proba or read):
        header = ["prediction", *(f"p({_line(label)})" for label in labels if proba)]
        print("\t".join(header + (["known", "tokens"] if read else [])))
    for texts in parts:
        scores = estimator.decision_function(texts)
        answers = estimator.answers(scores)
        probabilities = estimator.head_.probabilities(scores).tolist() if proba else [[]] * len(answers)
        counts = estimator.coverage(texts).tolist() if read or as_json else [[]] * len(answers)
        for answer, shares, count in zip(answers, probabilities, counts, strict=True):
            print(_object(answer, labels, shares, count) if as_json
                  else "\t".join([_shown(answer, label_separator), *(f"{share:.6f}" for share in shares),
                                  *(map(str, count) if read else [])]))
        if sys.stdout is not None:
            sys.stdout.flush()


def _write_vectors(estimator: Any, parts: Iterable[list[str]], file: Path) -> None:
    """Vectors (N, D), dense as .npy and sparse as .npz."""
    suffix = ".npz" if issparse(estimator.transform([])) else ".npy"
    if file.suffix != suffix:
        raise UsageError(f"The vectors of this model are kept as {suffix}; got {file}. Try {file.with_suffix(suffix)}.")
    found = estimator.transform(list(chain.from_iterable(parts)))
    try:
        with file.open("wb") as written:
            save_npz(written, found) if suffix == ".npz" else np.save(written, found)
    except OSError as error:
        raise StorageError(f"{file} cannot be written: {error.strerror}.") from error
    say(f"{file}: {found.shape[0]:,} vectors of {found.shape[1]:,} numbers.")


def _parts(data: str, text: str | None) -> Iterator[list[str]]:
    """Documents, some at a time: plain lines through a pipe as they come, everything else checked as a whole first."""
    if data == STANDARD_INPUT and text is None and is_plain(sys.stdin.buffer):
        return arriving_lines(sys.stdin.buffer, DOCUMENTS_AT_A_TIME)
    return _cut(read_documents(data, text=text, with_target=False).texts)


def _lines(data: str) -> Iterator[list[str]]:
    """Plain lines, some at a time, whatever the file is called."""
    if data == STANDARD_INPUT and is_plain(sys.stdin.buffer):
        return arriving_lines(sys.stdin.buffer, DOCUMENTS_AT_A_TIME)
    return _cut(read_lines(data).texts)


def _cut(texts: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(texts)
    while part := list(islice(rest, DOCUMENTS_AT_A_TIME)):
        yield part


def _object(answer: Any, labels: list[str], shares: list[float], count: list[int]) -> str:
    line: dict[str, Any] = {"prediction": list(answer) if isinstance(answer, tuple) else answer}
    if shares:
        line["probabilities"] = dict(zip(labels, shares, strict=True))
    return json.dumps({**line, "tokens_known": count[0], "tokens": count[1]}, ensure_ascii=False)


def _shown(answer: Any, separator: str) -> str:
    if isinstance(answer, tuple):
        return separator.join(_line(str(label)) for label in answer)
    return _line(str(answer))


def _line(label: str) -> str:
    """A label on one line: what would break the line is escaped."""
    return label.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
