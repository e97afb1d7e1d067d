"""``scansion predict``: one answer a line, or one a row of a table, in the order of the input."""

import re
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from scipy.sparse import issparse, save_npz

from scansion.cli.answer_lines import OBJECT_NAMES, AnswerLines, AnswerObjects
from scansion.cli.answer_table import AnswerColumns, check_no_collision, check_table
from scansion.cli.progress import pass_on, say, tell
from scansion.cli.shared_options import (
    Beam,
    EncodingName,
    EngineName,
    Model,
    PrecisionName,
    Separator,
    SheetName,
    TextColumn,
)
from scansion.cli.stdin_stream import arriving_lines, first_line, is_plain
from scansion.errors import UsageError
from scansion.storage.atomic_file import replaced_file
from scansion.text.columns import columns_named
from scansion.text.documents import Cells, Documents
from scansion.text.rows import AS_FOUND, FileOptions
from scansion.text.table_writers import WrittenColumn, writer_for

Part = tuple[list[str], Sequence[Sequence[Any]]]
"""Some inputs, and the kept cells beside each."""

DOCUMENTS_AT_A_TIME = 4_096
STANDARD_INPUT = "-"

EXAMPLES = """Examples:
  scansion predict model new.csv                    a label or number a line
  scansion predict model new.csv --proba            and the probability of each label
  scansion predict model new.csv --out answers.csv  the table itself, with prediction and probability behind it
  scansion predict model new.csv --keep id,title --out answers.parquet
  scansion predict model new.jsonl --json           a JSON object a line
  echo "a quiet marvel" | scansion predict model    plain lines: a document each, answered as they come
  scansion predict model new.csv --vectors new.npy  the vectors it makes of them, for other programs
  scansion predict translator test.en > test.de     a translation a line
  scansion predict translator test.en --engine ctranslate2 --precision int8

The texts are those of the columns that the model was trained on, which standard error names; --text says otherwise.
Several labels are joined by what stood between them in training, else | (--label-separator). --proba and --read add
columns, tab-separated, under a header line. A line break, tab or backslash in a label is written \\n, \\t or \\\\.

--out writes .csv, .tsv, .jsonl or .parquet, in place of an older table of predictions, once all of it is there. Of
several labels probability holds that of each label given, joined as they are; .jsonl and .parquet hold lists.
"""


def predict(
    model: Model,
    data: Annotated[str | None, typer.Argument(metavar="DATA", help="A table, or plain text with a document a line "
                                               "(.txt, or standard input).")] = None,
    text: TextColumn = None,
    separator: Separator = None,
    encoding: EncodingName = None,
    sheet: SheetName = None,
    proba: Annotated[bool, typer.Option("--proba", help="Add the probability of every label.")] = False,
    read: Annotated[bool, typer.Option("--read", help="Add how many tokens the model knew, and how many there "
                                       "were.")] = False,
    label_separator: Annotated[str | None, typer.Option("--label-separator", help="What to put between labels; by "
                                                           "default as in training, else |.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write a table of the input's columns and "
                                             "the answers: .csv, .tsv, .jsonl or .parquet.")] = None,
    keep: Annotated[str | None, typer.Option("--keep", metavar="COLUMN,COLUMN", help="With --out or --json: which of "
                                             "the input's columns; by default all, with --json none.")] = None,
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
    from scansion.tasks.catalogue import opened
    from scansion.tasks.task import PredictOptions, ReadOptions

    data = data or STANDARD_INPUT
    _check_together(out, keep, vectors, as_json, proba or read)
    if out is not None:
        check_table(out, data)
    kind, task, restore = opened(model)
    kind.check_options("predict", {
        "--text": text, "--proba": proba, "--read": read, "--label-separator": label_separator, "--vectors": vectors,
        "--beam": beam, "--json": as_json, "--out": out, "--keep": keep, "--separator": separator,
        "--encoding": encoding, "--sheet": sheet,
    })
    given = ReadOptions(text, file=FileOptions(separator, encoding, sheet))
    task.check_named([data], given)
    estimator = restore()
    form = _form(task.form(estimator), label_separator, proba)
    wanted = PredictOptions(proba or (out is not None and bool(form.labels)), read or as_json, beam)
    options = task.read_options(estimator, given)
    estimator = _in_engine(task, estimator, engine, precision)
    lines = AnswerLines(form, proba, read)
    as_found = {text, keep, out, vectors} == {None} and given.file == AS_FOUND
    if data == STANDARD_INPUT and as_found and is_plain(sys.stdin.buffer):
        _print(AnswerObjects(form, []) if as_json else lines, _answered(task, estimator, _arriving(options), wanted))
        return
    documents = task.inputs(data, options)
    if documents.columns.text:
        say(f"{documents.name}: {documents.reason}")
    if vectors is not None:
        _write_vectors(estimator, documents, vectors)
        return
    names = _kept(documents, keep, everything=out is not None)
    answered = _answered(task, estimator, _beside(documents, names), wanted)
    if out is not None:
        _write_table(out, documents, names, AnswerColumns(form, proba, read), answered)
        return
    check_no_collision(names, OBJECT_NAMES)
    _print(AnswerObjects(form, names) if as_json else lines, answered)


def _check_together(
    out: Path | None, keep: str | None, vectors: Path | None, as_json: bool, more: bool
) -> None:
    """UsageError for options that ask for different things."""
    if vectors is not None and (more or as_json or out is not None):
        raise UsageError("--vectors writes vectors and no answers. Leave out --proba, --read, --json and --out.")
    if out is not None and as_json:
        raise UsageError("--out writes a table and --json prints. Give one; a name that ends in .jsonl is a table of "
                         "JSON objects.")
    if keep is not None and out is None and not as_json:
        raise UsageError("--keep chooses columns of the input for a table. Give --out predictions.csv, or --json.")


def _form(form: Any, label_separator: str | None, proba: bool) -> Any:
    """What answers are like, several labels with the separator asked for."""
    if proba and not form.labels:
        raise UsageError("This model answers with numbers, which have no probabilities. Leave out --proba.")
    if label_separator == "":
        raise UsageError("--label-separator is empty; expected what is to stand between two labels, for example '|'.")
    return form if label_separator is None else replace(form, separator=label_separator)


def _in_engine(task: Any, estimator: Any, engine: str | None, precision: str | None) -> Any:
    """The estimator, or what it is inside another engine; UsageError for a precision without one."""
    if engine is None:
        if precision is not None:
            raise UsageError("--precision is for another engine. Add --engine ctranslate2, or leave it out.")
        return estimator
    if engine in task.formats and engine not in task.engines:
        raise UsageError(f"{engine} is a format and runs nothing here: scansion export MODEL --to {engine} --out OUT.")
    if task.generate is not None:
        raise UsageError(f"{engine!r} does not run language models to predict with. Leave out --engine.")
    return task.export(estimator, engine, precision or "float32", None)


# What goes in


def _arriving(options: Any) -> Iterator[Part]:
    """Plain lines through a pipe as they come; a warning if the first of them is rather a table's header."""
    columns = options.remembered.text
    if columns and set(columns) < set(re.split(r"[,;\t|]", first_line(sys.stdin.buffer))):
        say(f"Warning: standard input is read as plain lines, and the first looks like a table's header. To read a "
            f"table, name its file, or pipe it as csv with --text {','.join(columns)}.")
    return ((lines, [[]] * len(lines)) for lines in arriving_lines(sys.stdin.buffer, DOCUMENTS_AT_A_TIME))


def _kept(documents: Documents, keep: str | None, everything: bool) -> list[str]:
    names = documents.texts.table.columns
    if keep is None:
        return list(names) if everything else []
    return columns_named(keep, names, "option --keep") if keep else []


def _beside(documents: Documents, names: Sequence[str]) -> Iterator[Part]:
    """Texts and kept cells, checked as a whole before, some at a time."""
    rest = documents.texts.beside(_positions(documents, names))
    while part := list(islice(rest, DOCUMENTS_AT_A_TIME)):
        yield [text for text, _ in part], [cells for _, cells in part]


def _positions(documents: Documents, names: Sequence[str]) -> list[int]:
    return [documents.texts.table.columns.index(name) for name in names]


# What comes out


def _answered(
    task: Any, estimator: Any, parts: Iterator[Part], wanted: Any
) -> Iterator[tuple[Any, Sequence[Sequence[Any]]]]:
    """Answers to each part, and the kept cells beside them; at last a remark may follow without any."""
    waiting: deque[Sequence[Sequence[Any]]] = deque()  # one part's at a time; itertools.tee keeps 57 before it forgets

    def asked() -> Iterator[list[str]]:
        for texts, kept in parts:
            waiting.append(kept)
            yield texts

    for found in task.predict(estimator, asked(), wanted):
        yield found, waiting.popleft() if waiting else ()


def _print(printed: Any, answered: Iterator[tuple[Any, Sequence[Sequence[Any]]]]) -> None:
    for line in printed.header():
        tell(line)
    for answers, kept in answered:
        for line in printed.lines(answers, kept):
            pass_on(line)
        if sys.stdout is not None:
            sys.stdout.flush()
        if answers.remark:
            say(answers.remark)


def _write_table(
    out: Path, documents: Documents, names: Sequence[str], answer: AnswerColumns,
    answered: Iterator[tuple[Any, Sequence[Sequence[Any]]]],
) -> None:
    """All rows, and nothing before all of them are there."""
    added = answer.columns()
    check_no_collision(names, [column.name for column in added])
    columns, cells = [*map(WrittenColumn, names), *added], Cells(documents.texts, _positions(documents, names))
    with replaced_file(out) as stream, closing(writer_for(out.name)(stream, columns, cells)) as writer:
        for answers, kept in answered:
            writer.write(answer.rows(answers, kept))
            if answers.remark:
                say(answers.remark)
    say(f"{out}: {len(documents):,} rows, {len(columns)} columns: {', '.join(column.name for column in columns)}.")


def _write_vectors(estimator: Any, documents: Documents, file: Path) -> None:
    """Vectors (N, D), dense as .npy and sparse as .npz."""
    suffix = ".npz" if issparse(estimator.transform([])) else ".npy"
    if file.suffix != suffix:
        raise UsageError(f"The vectors of this model are kept as {suffix}; got {file}. Try {file.with_suffix(suffix)}.")
    found = estimator.transform(documents.texts)
    with replaced_file(file) as written:
        save_npz(written, found) if suffix == ".npz" else np.save(written, found)
    say(f"{file}: {found.shape[0]:,} vectors of {found.shape[1]:,} numbers.")
