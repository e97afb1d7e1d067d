"""A corpus: plain text as documents, from files, a folder or a table's column; read again whenever it is needed.

In plain text a document is a line, or what stands between empty lines.  Where it is not said, text of which one line in
``ONE_IN`` is empty, or more, is read by the second rule.  Nothing is lost: the documents, each with what ends it behind
it, are the files again, save that lines end with a line feed and that empty lines at the end are dropped.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from scansion.errors import DataError, UsageError, did_you_mean
from scansion.text.columns import UNNAMED, InputColumns
from scansion.text.documents import read_documents
from scansion.text.encodings import Limit, Lines, read_text, without_line_end
from scansion.text.rows import AS_FOUND, FileOptions
from scansion.text.separators import is_table
from scansion.text.sources import STANDARD_INPUT, Source, files_below, find_source
from scansion.text.tables import FORMATS, OTHER_ENDINGS, ending_of

ONE_IN = 50
SAMPLE_LINES = 10_000
NO_LIMIT = Limit(2**31, "Part it.")

ENDS = {"lines": "\n", "paragraphs": "\n\n", "files": "\n", "rows": "\n"}
"""What a document may be, and what ends one in the raw text; of files and rows, a line feed is counted."""
SAID = {
    "lines": "a document is a line", "paragraphs": "a document is what stands between empty lines",
    "files": "a document is a file", "rows": "a document is a row",
}
CHOSEN = ("lines", "paragraphs", "files")
"""What may be asked for; rows are what tables have."""
PLAIN = "txt"


@dataclass(frozen=True, eq=False)
class TextCorpus:
    """Documents that can be read again and again, and are never all in memory."""

    name: str
    documents: str
    """What a document is, one of ENDS."""
    parts: Sequence[Iterable[str]] = field(repr=False)
    count: int
    characters: int
    reason: str
    """What was decided while reading."""
    columns: InputColumns = UNNAMED

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[str]:
        for part in self.parts:
            yield from part


@dataclass(frozen=True, eq=False)
class PlainText:
    """The documents of one file of plain text. DataError if the file is no longer what it was."""

    source: Source
    documents: str
    encoding: str | None
    state: tuple[int, int]

    def __iter__(self) -> Iterator[str]:
        if self.source.state() != self.state:
            raise DataError(f"{self.source.name} was changed while it was in use. Start again.")
        return READ[self.documents](self.source, self.encoding)


def is_plain_text(paths: Sequence[str]) -> bool:
    """Whether these are a corpus and no table: .txt files, one or more than two, or a folder of nothing else.

    Of a single file the lines decide; two are rather a text and its translation.
    """
    if len(paths) in (0, 2) or any(path == STANDARD_INPUT for path in paths):
        return False
    if len(paths) == 1 and os.path.isdir(paths[0]):
        folder = find_source(paths[0])
        return not folder.is_dataset() and all(
            file.parent == folder.path and ending_of(file.name) == PLAIN for file in files_below(folder)
        )
    if any(ending_of(path) != PLAIN for path in paths):
        return False
    try:
        return len(paths) > 1 or not is_table(find_source(paths[0]), AS_FOUND, (), certain=True)
    except DataError:
        return True  # whoever reads it says what is wrong, and where


def read_corpus(
    paths: Sequence[str], text: str | None = None, documents: str | None = None, remembered: InputColumns = UNNAMED,
    file: FileOptions = AS_FOUND,
) -> TextCorpus:
    """The corpus in files of plain text, in all files of a folder, or in a table's column.

    ``documents`` says what a document is, one of CHOSEN; in a folder it is a file unless it is said.  UsageError for
    arguments that do not fit together, DataError for what is no text and for a corpus without any.
    """
    if documents is not None and documents not in CHOSEN:
        raise UsageError(f"A document is no {documents!r}{did_you_mean(documents, CHOSEN)}")
    sources = [find_source(path) for path in paths]
    name = sources[0].short_name + (f" and {len(sources) - 1} more" if len(sources) > 1 else "")
    if tables := [source for source in sources if _is_read_as_table(source, text, file)]:
        if len(sources) > 1 or documents is not None:
            why = "--documents is for plain text" if len(sources) == 1 else "a table is read alone"
            raise UsageError(f"{tables[0].name} is a table, and {why}. Leave the other out.")
        rows = read_documents(paths[0], text=text, with_target=False, remembered=remembered, file=file)
        return _counted(name, "rows", [rows.texts], rows.reason, rows.columns)
    if text is not None:
        raise UsageError(f"--text names a table's column, and {name} is plain text. Leave it out.")
    folders = [source for source in sources if source.path.is_dir()]
    found = [part for source in sources for part in ([find_source(f) for f in files_below(source)]
                                                     if source.path.is_dir() else [source])]
    why = ""
    if documents is None:
        documents, why = ("files", "this is a folder") if folders else _decided(found, file.encoding)
        why = f" ({why}; else --documents {' or '.join(each for each in CHOSEN if each != documents)})"
    parts = [PlainText(source, documents, file.encoding, source.state()) for source in found]
    return _counted(name, documents, parts, f"{SAID[documents].capitalize()}{why}.", UNNAMED)


def _is_read_as_table(source: Source, text: str | None, file: FileOptions) -> bool:
    if source.path.is_dir():
        return source.is_dataset()
    ending = ending_of(source.name)
    ending = OTHER_ENDINGS.get(ending, ending)
    if ending == PLAIN or source.spooled:
        wanted = [] if text is None else text.split(",")
        return bool(wanted or file.separator) and is_table(source, file, wanted, certain=bool(wanted))
    return ending in FORMATS


def _counted(
    name: str, documents: str, parts: Sequence[Iterable[str]], reason: str, columns: InputColumns
) -> TextCorpus:
    count = characters = 0
    for part in parts:
        for document in part:
            count += 1
            characters += len(document)
    if not characters:
        raise DataError(f"{name} holds no text. Expected documents to learn from or to score.")
    return TextCorpus(name, documents, parts, count, characters, reason, columns)


def _decided(sources: Sequence[Source], encoding: str | None) -> tuple[str, str]:
    """What a document is in these files, and why: by how many of their first lines are empty."""
    lines = empty = 0
    for source in sources[:SAMPLE_LINES]:
        for line in islice(_lines(source, encoding), SAMPLE_LINES):
            lines += 1
            empty += not line
    if empty * ONE_IN < max(1, lines):
        return "lines", f"of {lines:,} lines {empty:,} are empty" if empty else "no line is empty"
    return "paragraphs", f"one line in {lines / empty:.1f} is empty"


def _lines(source: Source, encoding: str | None) -> Iterator[str]:
    lines = Lines(source, 1, encoding, NO_LIMIT)
    for line in lines:
        yield without_line_end(line)
        lines.row += 1


def _paragraphs(source: Source, encoding: str | None) -> Iterator[str]:
    """What stands between empty lines; one more empty line opens the next document."""
    waiting: list[str] = []
    for line in _lines(source, encoding):
        if line or not any(waiting):
            waiting.append(line)
        else:
            yield "\n".join(waiting)
            waiting = []
    if any(waiting):
        yield "\n".join(waiting)


def _file(source: Source, encoding: str | None) -> Iterator[str]:
    text = read_text(source.path, source.name, encoding, NO_LIMIT).replace("\r\n", "\n")
    yield text.removesuffix("\n")


READ: dict[str, Callable[[Source, str | None], Iterator[str]]] = {
    "lines": _lines, "paragraphs": _paragraphs, "files": _file,
}
