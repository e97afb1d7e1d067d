"""``scansion predict``: one answer a line, in the order of the input."""

import sys
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from scipy.sparse import issparse, save_npz

from scansion.cli.progress import say
from scansion.cli.shared_options import Beam, EngineName, Model, PrecisionName, TextColumn
from scansion.cli.stdin_stream import arriving_lines, is_plain
from scansion.errors import StorageError, UsageError
from scansion.storage.folders import open_folder

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
    label_separator: Annotated[str | None, typer.Option("--label-separator", help="What to put between labels; by "
                                                           "default |.")] = None,
    vectors: Annotated[Path | None, typer.Option("--vectors", metavar="FILE", help="Write the vectors that the model "
                                                 "makes of the documents, a row each: .npy, or .npz where words are "
                                                 "counted. Nothing is printed.")] = None,
    beam: Beam = None,
    engine: EngineName = None,
    precision: PrecisionName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Answer every document: one line each, in order."""
    if data in (None, STANDARD_INPUT) and (sys.stdin is None or (data is None and sys.stdin.isatty())):
        raise UsageError(f"There is nothing to answer. Name a table or a text file, scansion predict {model} new.csv, "
                         "or pipe lines in; - reads what you type.")
    from scansion.tasks.catalogue import stored_task
    from scansion.tasks.task import PredictOptions, ReadOptions

    folder = open_folder(model)
    kind, task = stored_task(folder)
    kind.check_options("predict", {
        "--text": text, "--proba": proba, "--read": read, "--label-separator": label_separator, "--vectors": vectors,
        "--beam": beam, "--json": as_json,
    })
    task.check_named([data or STANDARD_INPUT], ReadOptions(text))
    estimator = _in_engine(task, task.load(folder), engine, precision)
    parts = _parts(task, data or STANDARD_INPUT, text)
    if vectors is not None:
        if proba or read or as_json:
            raise UsageError("--vectors writes vectors and no answers. Leave out --proba, --read and --json.")
        _write_vectors(estimator, parts, vectors)
        return
    options = PredictOptions(proba, read, as_json=as_json, beam=beam)
    if label_separator is not None:
        options = PredictOptions(proba, read, label_separator, as_json, beam)
    for output in task.predict(estimator, parts, options):
        for line in output.lines:
            print(line)
        if sys.stdout is not None:
            sys.stdout.flush()
        if output.remark:
            say(output.remark)


def _in_engine(task: Any, estimator: Any, engine: str | None, precision: str | None) -> Any:
    """The estimator, or what it is inside another engine; UsageError for a precision without one."""
    if engine is None:
        if precision is not None:
            raise UsageError("--precision is for another engine. Add --engine ctranslate2, or leave it out.")
        return estimator
    return task.export(estimator, engine, precision or "float32", None)


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


def _parts(task: Any, data: str, text: str | None) -> Iterator[list[str]]:
    """Inputs, some at a time: plain lines through a pipe as they come, everything else checked as a whole first."""
    if data == STANDARD_INPUT and text is None and is_plain(sys.stdin.buffer):
        return arriving_lines(sys.stdin.buffer, DOCUMENTS_AT_A_TIME)
    return _cut(task.inputs(data, text))


def _cut(texts: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(texts)
    while part := list(islice(rest, DOCUMENTS_AT_A_TIME)):
        yield part
