"""Frames of columns as texts: pandas, polars, pyarrow and whatever else has named columns, none of them imported."""

from collections.abc import Sequence
from typing import Any

from scansion.errors import UsageError, did_you_mean, shown
from scansion.text.columns import InputColumns, join_cells

MISSING = frozenset({"None", "nan", "NaN", "NaT", "<NA>"})
"""How a cell that is no string and holds nothing writes itself."""


def column_names(data: Any) -> list[Any] | None:
    """The names of a frame's columns, of whatever type; None for what is no frame."""
    for attribute in ("column_names", "columns"):  # pyarrow's columns are the columns themselves
        names = getattr(data, attribute, None)
        if names is not None and hasattr(data, "__getitem__"):
            return list(names)
    return None


def input_columns(texts: Any, targets: Any) -> InputColumns:
    """The names that frames and series give to texts and targets, for a model to remember.

    Raises UsageError for several columns that cannot be told apart by their names.
    """
    names = column_names(texts)
    if names is None:
        names = [getattr(texts, "name", None)]
    named = all(isinstance(name, str) and name for name in names) and len(set(names)) == len(names)
    if len(names) > 1 and not named:
        raise UsageError(f"Columns that are joined to one text are told apart by their names; got "
                         f"{', '.join(map(repr, names))}. Give each a name of its own, a string.")
    target = getattr(targets, "name", None)
    return InputColumns(tuple(names) if named else (), target if isinstance(target, str) and target else None)


def frame_texts(frame: Any, names: Sequence[Any], wanted: Sequence[str]) -> list[str]:
    """One text a row, of the cells of the wanted columns; a frame's only column needs not be named.

    Of several cells those that are empty or missing are left out, and the others joined, see :func:`join_cells`.
    Raises UsageError for a column that is not there, for a cell that is no string and for a row without any.
    """
    if not wanted and len(names) != 1:
        raise UsageError(f"Expected one column of texts, got a frame with {len(names)}: {', '.join(map(repr, names))}, "
                         "and no names from training to choose by. Give the column, frame['text'], or fit on a frame.")
    for name in wanted:
        if list(names).count(name) != 1:
            there = "no column" if name not in names else "more than one column"
            raise UsageError(f"The frame has {there} {name!r}, which the model was fitted on"
                             f"{did_you_mean(name, map(str, names))}")
    columns = [_values(frame[name]) for name in wanted or names]
    if len(columns) == 1:
        return columns[0]
    return [_joined(row, cells, wanted) for row, cells in enumerate(zip(*columns, strict=True))]


def _joined(row: int, cells: Sequence[Any], names: Sequence[str]) -> str:
    there = [(cell, name) for cell, name in zip(cells, names, strict=True)
             if isinstance(cell, str) or str(cell) not in MISSING]
    for cell, name in there:
        if not isinstance(cell, str):
            raise UsageError(f"Expected texts, got {shown(repr(cell))} ({type(cell).__name__}) in column {name!r} at "
                             f"position {row}. Give only the columns that hold texts: frame[['title', 'body']].")
    if not there:
        raise UsageError(f"Every cell at position {row} is missing ({', '.join(map(repr, names))}). Drop the row, or "
                         "put a text in its place; an empty text is fine.")
    return join_cells(cell for cell, _ in there)


def _values(column: Any) -> list[Any]:
    """The cells of a column as Python holds them."""
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method):
            return list(getattr(column, method)())
    return list(column)
