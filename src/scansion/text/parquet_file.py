"""Parquet (.parquet), read a batch of rows at a time. Needs pyarrow."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scansion.errors import DataError, MissingExtraError
from scansion.text.arrow_cells import arrow_rows
from scansion.text.encodings import seekable_bytes
from scansion.text.rows import SAMPLE_ROWS, FileOptions, Format, Opened, Row
from scansion.text.sources import Source


def open_parquet(source: Source, options: FileOptions) -> Opened:
    """The columns of the schema. Raises DataError for a file that is not sound."""

    def rows() -> Iterator[Row]:
        with _parquet_file(source) as file:
            yield from arrow_rows(file.iter_batches(batch_size=SAMPLE_ROWS))

    with _parquet_file(source) as file:
        return Opened(list(file.schema_arrow.names), rows)


@contextmanager
def _parquet_file(source: Source) -> Iterator[Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(f"{source.name} needs pyarrow: pip install 'scansion[parquet]'") from error
    with seekable_bytes(source) as stream:
        try:
            yield pyarrow.parquet.ParquetFile(stream)
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"{source.name} is no sound parquet file: {error}") from error


PARQUET = Format(open_parquet)
