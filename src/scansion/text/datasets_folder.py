"""A folder that ``datasets.Dataset.save_to_disk`` of Hugging Face writes. Needs pyarrow.

It holds ``state.json``, which names its Arrow files in order, and ``dataset_info.json``; a ``DatasetDict`` is a folder
of such folders, one a split, beside ``dataset_dict.json``.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scansion.errors import DataError, MissingExtraError, UsageError
from scansion.text.arrow_cells import arrow_rows
from scansion.text.encodings import read_text
from scansion.text.rows import FileOptions, Format, Opened
from scansion.text.sources import DATASET_STATE, Source


def open_dataset(source: Source, options: FileOptions) -> Opened:
    """The columns of its first file. Raises UsageError for a folder of several splits, DataError for a damaged one."""
    files = _arrow_files(source)

    def batches() -> Iterator[Any]:
        for file in files:
            with _arrow_stream(source, file) as stream:
                yield from stream

    with _arrow_stream(source, files[0]) as stream:
        return Opened(list(stream.schema.names), lambda: arrow_rows(batches()))


def _arrow_files(source: Source) -> list[str]:
    if not (source.path / DATASET_STATE).is_file():
        splits = sorted(folder.name for folder in source.path.iterdir() if (folder / DATASET_STATE).is_file())
        named = " or ".join(str(source.path / split) for split in splits)
        raise UsageError(f"{source.name} holds the splits {', '.join(splits)}; expected one. Name it: {named}.")
    name = f"{source.name}/{DATASET_STATE}"
    try:
        files = [entry["filename"] for entry in json.loads(read_text(source.path / DATASET_STATE, name))["_data_files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{name} does not name the files of a dataset as save_to_disk does.") from error
    if not files or any(file not in {found.name for found in source.files()} for file in files):
        raise DataError(f"{name} names the files {files}, and not all of them are there. Save the dataset again.")
    return files


@contextmanager
def _arrow_stream(source: Source, file: str) -> Iterator[Any]:
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        raise MissingExtraError(f"{source.name} needs pyarrow: pip install 'scansion[parquet]'") from error
    try:
        with open(source.path / file, "rb") as stream:
            yield pyarrow.ipc.open_stream(stream)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{source.name}/{file} is no sound Arrow file: {error}") from error


DATASETS_FOLDER = Format(open_dataset)
