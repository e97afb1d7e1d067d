"""Cells of Arrow columns, as they come out of parquet files and Hugging Face datasets."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from scansion.text.rows import Row, WrittenNumber


def arrow_rows(batches: Iterable[Any]) -> Iterator[Row]:
    """The rows of record batches; they have no lines, so a row's line is its number."""
    number = 0
    for batch in batches:
        for cells in zip(*map(_cells, batch.columns), strict=True):
            number += 1
            yield Row(number, number, list(cells))


def _cells(column: Any) -> list[Any]:
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:
        values = [_cell(cell) for cell in column]
    return [value if type(value) is str else _written(value) for value in values]


def _cell(cell: Any) -> Any:
    """The value; for a string that is not UTF-8 its bytes, which are then refused with their row."""
    try:
        return cell.as_py()
    except UnicodeDecodeError:
        return cell.as_buffer().to_pybytes()


def _written(value: Any) -> Any:
    """Numbers as the shortest text that says them, as in the other formats."""
    if isinstance(value, list):
        return [_written(one) for one in value]
    return WrittenNumber(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value
