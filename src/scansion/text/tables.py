"""Sources to tables: which format a source is in, and every format there is.

A row that cannot be read is handed on with its reason; it never shifts another. No cell ever changes its text.
A fault that leaves it unknown where the next row begins (bytes that are not text, a quote that is never closed)
ends the reading with a DataError. A new format is a file with a ``Format`` and a line in ``FORMATS``.
"""

from collections.abc import Sequence

from scansion.errors import DataError, UsageError, did_you_mean, shown
from scansion.text.datasets_folder import DATASETS_FOLDER
from scansion.text.encodings import Lines, codec_named, reads_as_utf8_too
from scansion.text.excel_workbook import EXCEL
from scansion.text.json_document import JSON
from scansion.text.json_lines import JSON_LINES
from scansion.text.label_folder import LABEL_FOLDER
from scansion.text.open_document import OPEN_DOCUMENT
from scansion.text.parquet_file import PARQUET
from scansion.text.plain_lines import PLAIN_LINES
from scansion.text.rows import AS_FOUND, FileOptions, Table
from scansion.text.separators import CSV, NO_SEPARATOR, TSV, is_table
from scansion.text.sources import Source

FORMATS = {
    "csv": CSV,
    "tsv": TSV,
    "jsonl": JSON_LINES,
    "json": JSON,
    "parquet": PARQUET,
    "xlsx": EXCEL,
    "ods": OPEN_DOCUMENT,
    "txt": PLAIN_LINES,
    "folder": LABEL_FOLDER,
    "dataset": DATASETS_FOLDER,
}
"""What ``format`` may be; all but the folders are also file name endings."""

FOLDERS = ("folder", "dataset")

MOST_COLUMNS = 16_384
"""As many as a sheet of Excel has."""

OTHER_ENDINGS = {"ndjson": "jsonl", "tab": "tsv", "xlsm": "xlsx"}
"""Endings of the same formats."""

REFUSED = {
    "xls": "an old Excel workbook by its name. Open it and save it as .xlsx",
    "xlsb": "a binary Excel workbook. Open it and save it as .xlsx",
    "numbers": "a Numbers document. Export it as .xlsx or .csv",
    "docx": "a Word document. Save its text as .txt, or its table as .csv",
    "pdf": "a PDF. Save its text as .txt, or its table as .csv",
    "zip": "a zip archive. Unpack it",
    "pkl": "a Python pickle, which would run code when it is read. Write the table to a .parquet",
    "arrow": "an Arrow file. Give the folder that save_to_disk wrote, or save it as .parquet",
    "feather": "an Arrow file. Save it as .parquet",
}
"""Endings of what is not read, and what to do."""


def open_table(
    source: Source,
    format: str | None = None,
    unmarked: str = "csv",
    options: FileOptions = AS_FOUND,
    columns: Sequence[str] = (),
) -> Table:
    """The table in ``source``; ``format`` wins over the file's name, ``unmarked`` is for input that has no name.

    ``columns`` are those that will be asked for, as far as they are known: they tell a table in a .txt from lines.
    Raises UsageError if the format is unknown or an option has no meaning in it, DataError if the columns have no
    proper names.
    """
    format = format or _format_of(source, unmarked, options, columns)
    if format not in FORMATS:
        raise UsageError(f"There is no table format {format!r}{did_you_mean(format, FORMATS)}")
    if source.path.is_dir() != (format in FOLDERS):
        kind = "a folder" if source.path.is_dir() else "no folder"
        raise UsageError(f"{source.name} is {kind} and cannot be read as {format}.")
    found = FORMATS[format]
    remarks = tuple(_checked_options(source, format, options))
    opened = found.open(source, options)
    _check_names(source.name, opened.columns)
    return Table(source, format, tuple(opened.columns), opened.rows, found.named, (*remarks, *opened.remarks))


def _checked_options(source: Source, format: str, options: FileOptions) -> list[str]:
    """What to say of options that were given. Raises UsageError for one that has no meaning in the format."""
    given = {"separator": options.separator, "encoding": options.encoding, "sheet": options.sheet}
    for name, value in given.items():
        takes = [ending for ending, each in FORMATS.items() if name in each.options and ending not in FOLDERS]
        if value is not None and name not in FORMATS[format].options and not options.of_another_file:
            raise UsageError(f"--{name} is for {', '.join(takes)}; {source.name} is read as {format}. Leave it out.")
    if options.encoding is None or source.path.is_dir() or "encoding" not in FORMATS[format].options:
        return []
    codec = codec_named(options.encoding)
    word = reads_as_utf8_too(source, codec)
    doubt = f", but it is sound UTF-8 as well, where it reads {shown(word)}; then leave --encoding out" if word else ""
    return [f"encoding: {codec} (as given{doubt})"]


def ending_of(name: str) -> str:
    """What a file's name ends with behind its last point, in small letters and apart from .gz."""
    return name.lower().removesuffix(".gz").rpartition(".")[2]


def _format_of(source: Source, unmarked: str, options: FileOptions, columns: Sequence[str]) -> str:
    if source.path.is_dir():
        return "dataset" if source.is_dataset() else "folder"
    suffix = ending_of(source.name)
    suffix = OTHER_ENDINGS.get(suffix, suffix)
    if suffix == "txt":
        return "csv" if is_table(source, options, columns, certain=unmarked != "txt") else "txt"
    if suffix in FORMATS and suffix not in FOLDERS:
        return suffix
    if source.spooled:
        first = next((line for line in Lines(source, 1, options.encoding) if line.strip()), "").lstrip()
        if first.startswith("{"):
            return "json" if first.strip() == "{" else "jsonl"
        if unmarked != "txt" and first.startswith("[") and first[1:].lstrip()[:1] in ("", "{", "]"):
            return "json"
        return "csv" if options.separator is not None and options.separator != NO_SEPARATOR else unmarked
    if suffix in REFUSED:
        raise UsageError(f"{source.name} is {REFUSED[suffix]}.")
    raise UsageError(f"The name {source.name!r} does not say what the file holds. Name it .csv, .tsv, .jsonl, .json, "
                     ".parquet, .xlsx, .ods or .txt (also with .gz); for a translator, name two files.")


def _check_names(name: str, columns: list[str]) -> None:
    if not columns:
        raise DataError(f"{name} is empty; expected a header with column names, then a row per document.")
    if len(columns) > MOST_COLUMNS:
        raise DataError(f"{name} has {len(columns):,} columns; at most {MOST_COLUMNS:,} are read. Take those with the "
                        "texts and the answers into a table of their own.")
    seen: set[str] = set()
    for number, column in enumerate(columns, 1):
        if not column.strip():
            raise DataError(f"{name}: column {number} of {len(columns)} has no name in the header. Name every column.")
        if "\0" in column:
            raise DataError(f"{name}: the header holds NUL characters. Is it UTF-16 without a byte order mark? "
                            "Say --encoding utf-16-le, or save the file as UTF-8.")
        if "\r" in column:
            raise DataError(f"{name}: the header holds a lone carriage return. End every line with a line feed.")
        if column in seen:
            raise DataError(f"{name}: two columns are called {shown(column)}. Give every column its own name.")
        seen.add(column)
