"""Documents and their answers: a table read once to check every row, and its texts again whenever they are needed."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

from scansion.errors import DataError, UsageError, did_you_mean, shown
from scansion.text.columns import UNNAMED, Columns, InputColumns, check_asked, choose_columns
from scansion.text.encodings import place
from scansion.text.frames import column_names, frame_texts
from scansion.text.rejections import Quarantine, Rejections
from scansion.text.rows import AS_FOUND, FileOptions, Row, Table
from scansion.text.sources import STANDARD_INPUT, Snapshot, find_source
from scansion.text.tables import open_table
from scansion.text.target_cells import READ_AS, Answer, decide_task, label_of, reading_of_several

MOST_BAD = 0.001
"""The share of rows that may be rejected, unless the caller allows more; beyond it, reading stops."""

SPLITS = {"train": "train", "test": "test", "dev": "valid", "valid": "valid", "validation": "valid"}
"""What a split column may hold, capitals aside, and what it means."""

CHARACTERS_AT_A_TIME = 1 << 24

_NAMED = 5


@dataclass(frozen=True, eq=False)
class Texts:
    """The texts of some rows of a table, read from the file at every iteration and never all in memory.

    Raises DataError if the file is no longer what it was.
    """

    table: Table
    columns: Columns
    rows: Sequence[int] = field(repr=False)
    """Row numbers, ascending."""
    snapshot: Snapshot

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[str]:
        names = self.table.columns
        return (self.columns.document(cells, names) for cells in self.cells())

    @property
    def others(self) -> tuple[str, ...]:
        """The columns that were not read."""
        read = {*self.columns.text, self.columns.target, self.columns.split}
        return tuple(name for at, name in enumerate(self.table.columns) if at not in read)

    def cells(self) -> Iterator[list[Any]]:
        """All cells of those rows, a row at a time."""
        self.snapshot.check()
        wanted = iter(self.rows)
        number = next(wanted, None)
        if number is None:
            return
        for row in self.table.rows():
            if row.number == number:
                yield row.cells
                number = next(wanted, None)
                if number is None:
                    return
        raise DataError(f"{self.table.source.name} ends before row {number}: it was changed while it was read.")

    def beside(self, kept: Sequence[int]) -> Iterator[tuple[str, list[Any]]]:
        """Each text, and the cells of its row in the columns at those positions, read in one pass."""
        names = self.table.columns
        return ((self.columns.document(cells, names), [cells[at] for at in kept]) for cells in self.cells())


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells beside some texts, in the columns at those positions, read from the file at every iteration."""

    texts: Texts
    kept: Sequence[int]

    def __iter__(self) -> Iterator[list[Any]]:
        return (kept for _, kept in self.texts.beside(self.kept))


@dataclass(frozen=True, eq=False)
class Documents:
    """Checked documents. The lists run parallel to ``texts``; ``targets`` and ``task`` are None if not asked for."""

    name: str
    texts: Texts
    targets: list[Answer] | None = field(repr=False)
    """Labels (str), numbers (float) or, with several labels a document, tuples of labels."""
    splits: list[str] | None = field(repr=False)
    """train, test or valid."""
    rows: Sequence[int] = field(repr=False)
    """Data rows of the file, counted from 1."""
    task: str | None
    reason: str
    """Which columns, which task, and why."""
    columns: InputColumns
    """What a second table of the same kind is read with; no names where the table gave none to its columns."""
    rejected: Rejections
    fingerprint: str
    """SHA-256 over the raw bytes of the input."""

    def __len__(self) -> int:
        return len(self.texts)


def read_documents(
    path: str | os.PathLike[str],
    *,
    text: str | None = None,
    target: str | None = None,
    split: str | None = None,
    task: str | None = None,
    label_separator: str | None = None,
    max_bad: float = MOST_BAD,
    quarantine: str | os.PathLike[str] | None = None,
    format: str | None = None,
    with_target: bool = True,
    remembered: InputColumns = UNNAMED,
    file: FileOptions = AS_FOUND,
) -> Documents:
    """The documents in a table, a label folder or standard input (``-``), every row checked.

    ``text`` may name several columns, ``title,body``; what is not named is as it was in training, if it is
    ``remembered``. Rows that cannot be read go to the quarantine file, ``NAME.rejected.jsonl`` unless named, and more
    than a share of ``max_bad`` of them stops the reading. Without targets every row must be answered: the first bad one
    stops it. Input without a name is jsonl if it begins with ``{``, else csv, or plain lines if no column is wanted.
    ``file`` says what separates its cells, how it is encoded and which sheet is meant, where the reader is not to find
    it.
    Raises UsageError for wrong arguments and DataError for wrong data.
    """
    _check_arguments(task, label_separator, max_bad)
    source = find_source(path)
    snapshot = Snapshot.of(source)
    named = remembered.text if text is None else text.split(",")
    wanted = [*named, *(name for name in (target, split) if name is not None)]
    table = open_table(source, format, "csv" if with_target or text is not None else "txt", file, wanted)
    if with_target and table.format == "txt":
        raise UsageError(f"{source.name} is plain text, a document a line, and has no targets; expected a table. If it "
                         "is one, say what separates its cells: --separator.")
    sample = [row.cells for row in table.sample()]
    if not sample and (with_target or any(table.rows())):
        raise _nothing_to_read(table)
    remembered = remembered if table.named else replace(remembered, text=(), target=None)
    with _saying_what_was_read(table):
        columns = choose_columns(table.columns, sample, text, target, split, with_target, remembered)
    cells = [] if columns.target is None else [row[columns.target] for row in sample]
    several = reading_of_several(cells, label_separator)
    reading = _Reading(table, columns, quarantine, max_bad if with_target else None)
    checked, task, reason = _checked(reading, task, several)
    snapshot.check()
    return Documents(
        name=source.short_name,
        texts=Texts(table, columns, checked.rows, snapshot),
        targets=checked.targets if with_target else None,
        splits=checked.splits if split is not None else None,
        rows=checked.rows,
        task=task,
        reason="; ".join((*table.remarks, reason)),
        columns=_input_columns(table, columns, label_separator),
        rejected=checked.rejected,
        fingerprint=snapshot.fingerprint,
    )


def check_columns(
    path: str, text: str | None = None, target: str | None = None, file: FileOptions = AS_FOUND
) -> None:
    """UsageError or DataError for a table that is not there, or has no column of a name given; no row is checked.

    Of standard input, of pipes and of a .txt, which may be plain lines, nothing can be said before they are read.
    """
    if path == STANDARD_INPUT or (os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)):
        return
    source = find_source(path)
    if (text is None and target is None) or source.name.lower().removesuffix(".gz").endswith(".txt"):
        return
    table = open_table(source, None, options=file)
    with _saying_what_was_read(table):
        check_asked(table.columns, text, target)


@contextmanager
def _saying_what_was_read(table: Table) -> Iterator[None]:
    """Adds to a column's error which sheet or separator was read: another may have the column."""
    try:
        yield
    except UsageError as error:
        raise UsageError(" ".join((str(error), *(f"({remark})" for remark in table.remarks)))) from error


def read_lines(path: str | os.PathLike[str], file: FileOptions = AS_FOUND) -> Documents:
    """Plain text, a document a line, whatever the file is called; an empty line is an empty document."""
    return read_documents(path, format="txt", with_target=False, file=file)


def check_documents(texts: Any, columns: Sequence[str] = ()) -> Iterable[str]:
    """The texts as they are, or as a list where an array, a series or the ``columns`` of a frame held them.

    A frame of one column needs no name. Raises UsageError for anything that cannot be read twice in the same order,
    or that holds something other than strings.
    """
    names = column_names(texts)
    if names is not None:
        texts = frame_texts(texts, names, columns)
    elif isinstance(texts, str | bytes | bytearray):
        kind = "text" if isinstance(texts, str) else "bytes object"
        raise UsageError(f"Expected a list of texts, got one {kind}. Wrap it: predict([text]).")
    elif len(columns) > 1 and getattr(texts, "name", None) in columns:
        raise UsageError(f"The model was fitted on the columns {', '.join(map(repr, columns))}; got {texts.name!r} "
                         "alone. Give a frame that has all of them.")
    if isinstance(texts, Mapping | Set) or not hasattr(texts, "__iter__"):
        raise UsageError(f"Expected a list of texts, got {type(texts).__name__}.")
    dimensions = getattr(texts, "ndim", 1)
    if dimensions != 1:
        raise UsageError(f"Expected a list of texts, got {type(texts).__name__} with {dimensions} dimensions. "
                         "Give one column: the texts.")
    if hasattr(texts, "to_pylist"):
        texts = texts.to_pylist()
    elif hasattr(texts, "ndim") and hasattr(texts, "tolist"):
        texts = texts.tolist()
    if iter(texts) is texts:
        raise UsageError(f"Expected texts that can be read more than once, got a {type(texts).__name__}, which is "
                         "empty after one pass. Make it a list: list(texts).")
    if isinstance(texts, Sequence) and set(map(type, texts)) - {str}:
        for position, entry in enumerate(texts):
            if not isinstance(entry, str):
                raise UsageError(f"Expected texts, got {shown(repr(entry))} ({type(entry).__name__}) at position "
                                 f"{position}. Drop it, or put a text in its place; an empty text is fine.")
    return cast(Iterable[str], texts)


def in_parts(texts: Any, columns: Sequence[str] = ()) -> Iterator[list[str]]:
    """The texts, checked, some at a time, in their order."""
    part: list[str] = []
    size = 0
    for text in check_documents(texts, columns):
        part.append(text)
        size += len(text)
        if size > CHARACTERS_AT_A_TIME:
            yield part
            part, size = [], 0
    if part:
        yield part


@dataclass(frozen=True)
class _Checked:
    """What a pass over the table keeps of the good rows, and what it says of the others."""

    rows: Sequence[int]
    targets: list[Any]
    splits: list[str]
    rejected: Rejections


@dataclass(frozen=True)
class _Reading:
    """A table, its chosen columns and what to do with bad rows; with ``max_bad`` None the first is an error."""

    table: Table
    columns: Columns
    quarantine: str | os.PathLike[str] | None
    max_bad: float | None

    def checked(self, answer_of: Callable[[Any, str], Answer] | None) -> _Checked:
        """One pass over all rows. Raises DataError for too many bad rows and for splits that are none."""
        name = self.table.source.name
        number = 0
        good: list[int] = []
        targets: list[Any] = []
        splits: list[str] = []
        once: dict[Any, Any] = {}  # equal answers share one object
        with Quarantine(self.table.source, self.table.columns, self.quarantine) as quarantine:
            for row in self.table.rows():
                number = row.number
                try:
                    answer, part = self._read(row, answer_of)
                except DataError as error:
                    if self.max_bad is None:
                        raise DataError(f"{place(name, number, row.line)} {error}. Every row must be answered: repair "
                                        "it or take it out.") from error
                    quarantine.add(row, str(error))
                    continue
                good.append(number)
                targets.append(once.setdefault(answer, answer))
                splits.append(once.setdefault(part, part))
        rejected = quarantine.rejections()
        if self.max_bad is not None:
            rejected.check_share(name, number, self.max_bad)
        return _Checked(good if rejected.count else range(1, number + 1), targets, self._parts(splits), rejected)

    def _read(self, row: Row, answer_of: Callable[[Any, str], Answer] | None) -> tuple[Answer | None, str]:
        """The answer and the split as written. Raises DataError with the reason if the row is a bad one."""
        if row.reason:
            raise DataError(row.reason)
        names = self.table.columns
        self.columns.document(row.cells, names)
        at = self.columns.target
        answer = answer_of(row.cells[at], names[at]) if answer_of and at is not None else None
        split = self.columns.split
        return answer, "" if split is None else label_of(row.cells[split], names[split])

    def _parts(self, written: list[str]) -> list[str]:
        if self.columns.split is None:
            return []
        unknown = [part for part in dict.fromkeys(written) if part.lower() not in SPLITS]
        if unknown:
            found = ", ".join(shown(part, 20) for part in unknown[:_NAMED]) + ", …" * (len(unknown) > _NAMED)
            raise DataError(f"{self.table.source.name}: the split column {self.table.columns[self.columns.split]!r} "
                            f"holds {found}; expected train and test, and for a third part valid, validation or dev.")
        return [SPLITS[part.lower()] for part in written]


def _checked(
    reading: _Reading, task: str | None, several: tuple[Callable[[Any, str], Answer], str] | None
) -> tuple[_Checked, str | None, str]:
    """The good rows, the task, and the reason for both. Without a task the labels are read first, and decide it."""
    columns = reading.columns
    if columns.target is None:
        return reading.checked(None), None, f"{columns.reason}."
    name = reading.table.columns[columns.target]
    why = "as given"
    if several is not None:
        answer_of, written = several
        if task not in (None, "classify"):
            raise UsageError(f"The task is {task}, but {name!r} holds several labels a document. Expected one number.")
        checked = reading.checked(answer_of)
        task, why = "classify", f"{why if task else f'{name!r} holds several labels a document'}{written}"
    elif task is not None:
        checked = reading.checked(READ_AS[task])
    else:
        checked = reading.checked(label_of)
        task, why = decide_task(checked.targets, name, reading.max_bad or 0.0)
        if READ_AS[task] is not label_of:
            checked = reading.checked(READ_AS[task])
    return checked, task, f"{columns.reason}; task: {task} ({why})."


def _input_columns(table: Table, columns: Columns, label_separator: str | None) -> InputColumns:
    unnamed = InputColumns(text_separator=columns.text_separator, label_separator=label_separator)
    if not table.named:
        return unnamed
    target = None if columns.target is None else table.columns[columns.target]
    return replace(unnamed, text=tuple(table.columns[at] for at in columns.text), target=target)


def _check_arguments(task: str | None, label_separator: str | None, max_bad: float) -> None:
    if task is not None and task not in READ_AS:
        raise UsageError(f"There is no task {task!r} for documents{did_you_mean(task, READ_AS)}")
    if label_separator == "":
        raise UsageError("The label separator is empty; expected what stands between two labels, for example '|'.")
    if not 0 <= max_bad <= 1:
        raise UsageError(f"max_bad is {max_bad}; expected a share of rows between 0 and 1.")


def _nothing_to_read(table: Table) -> DataError:
    first = next(table.rows(), None)
    if first is None:
        return DataError(f"{table.source.name} has columns and no rows; expected a row per document.")
    where = place(table.source.name, first.number, first.line)
    return DataError(f"{where} {first.reason}; nor can any other row be read.")
