"""Target cells to answers: a label, several labels or a number; and the task that a column of them sets."""

import ast
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from scansion.errors import DataError, shown
from scansion.text.rows import CellFault, WrittenNumber

Answer = str | float | tuple[str, ...]


MOST_INTEGER_LABELS = 20
"""Up to so many different integers are labels; more are numbers to predict."""

LARGEST_NUMBER = 1e100
"""In size; squares of larger targets, and their sums, would soon be infinite."""

_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_ESCAPED = r"\\(?:[\\'\"nrt]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"  # as Python's repr writes it
_ITEM = rf"""'(?:[^'\\\n]|{_ESCAPED})*'|"(?:[^"\\\n]|{_ESCAPED})*"|[+-]?[0-9.]+|True|False"""
_ITEMS = rf"\s*(?:(?:{_ITEM})\s*(?:,\s*(?:{_ITEM})\s*)*,?\s*)?"
_PYTHON_LIST = re.compile(rf"\s*(?:\[{_ITEMS}\]|\({_ITEMS}\)|\{{{_ITEMS}\}}|set\(\))\s*")
_NUMBER_WITH_COMMA = re.compile(r"\s*[+-]?[0-9]+(?:,[0-9]+)?\s*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]+,[0-9]+\s*")
_NO_FINITE_NUMBER = {sign + word for sign in ("", "+", "-") for word in ("nan", "inf", "infinity")}


def is_number(written: str) -> bool:
    """Whether a string writes a number in plain decimal digits."""
    return _NUMBER.fullmatch(written) is not None


def text_of(cell: Any, column: str) -> str:
    """The document in a cell, unchanged. Raises DataError with the reason if there is none."""
    if type(cell) is str and cell.isascii():
        return cell
    if not isinstance(cell, str):
        raise DataError(f"{column!r} {_instead_of_string(cell)}")
    if isinstance(cell, CellFault):
        raise DataError(f"{column!r} {cell.reason}")
    try:
        cell.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{column!r} holds half a surrogate pair (character {error.start + 1})") from error
    return str(cell)


def label_of(cell: Any, column: str) -> str:
    """The label in a cell, as it is written. Raises DataError with the reason if there is none."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    label = text_of(cell, column)
    if isinstance(cell, WrittenNumber) and label.lower() == "nan":
        raise DataError(f"{column!r} is missing (NaN)")
    if not label or label.isspace():
        raise DataError(f"{column!r} is empty")
    return label


def labels_of(cell: Any, column: str, separator: str | None) -> tuple[str, ...]:
    """The labels in a list, or between separators, each once, in order; an empty list or cell holds none.

    Blanks around a separator do not count. Raises DataError with the reason for an empty label.
    """
    if isinstance(cell, list):
        parts = cell
    elif separator is None:
        parts = [cell]
    else:
        written = text_of(cell, column)
        parts = [part.strip() for part in written.split(separator)] if written.strip() else []
    return tuple(dict.fromkeys([label_of(part, column) for part in parts]))


def written_list(cell: Any) -> list[Any] | None:
    """The labels in a string that writes them as a JSON list, or as Python's list, tuple or set; None if none does."""
    if not isinstance(cell, str) or cell.strip()[:1] not in ("[", "(", "{", "s"):
        return None
    try:
        found = json.loads(cell, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        found = _python_list(cell)
    return found if isinstance(found, list) and all(isinstance(each, str | bool) for each in found) else None


def _python_list(cell: str) -> list[Any] | None:
    if _PYTHON_LIST.fullmatch(cell) is None or (cell.strip()[0] == "(" and not re.search(r",|\(\s*\)", cell)):
        return None  # Python writes a comma in every tuple, and (1) may well be a label
    try:
        return [ast.literal_eval(item) if item[0] in "'\"" else item.lower() for item in re.findall(_ITEM, cell)]
    except (SyntaxError, ValueError):  # of a code point that there is not
        return None


def labels_listed(cell: Any, column: str) -> tuple[str, ...]:
    """The labels in a cell that writes them as a list, each once; an empty one holds none.

    Raises DataError with the reason for another cell and for an empty label.
    """
    written = text_of(cell, column)
    labels = [] if not written.strip() else written_list(written)
    if labels is None:
        raise DataError(f"{column!r} is {shown(written)}, expected a list of labels, as in the first rows")
    return labels_of(labels, column, None)


def reading_of_several(
    cells: Sequence[Any], separator: str | None
) -> tuple[Callable[[Any, str], tuple[str, ...]], str] | None:
    """How cells that hold several labels each are read, and how they are written; None if they hold one each."""
    listed = [cell for cell in cells if written_list(cell) is not None]
    if listed and all(written_list(cell) is not None or cell is None or not str(cell).strip() for cell in cells):
        return labels_listed, f", written as lists such as {shown(max(listed, key=len))}"
    if separator is not None or any(isinstance(cell, list) for cell in cells):
        return partial(labels_of, separator=separator), ""
    return None


def number_of(cell: Any, column: str) -> float:
    """The number in a cell. Raises DataError with the reason if it is missing or not finite."""
    written = label_of(cell, column)
    if not is_number(written):
        raise DataError(f"{column!r} is {shown(written)}, expected a finite number")
    number = float(written)
    if abs(number) > LARGEST_NUMBER:
        raise DataError(f"{column!r} is {shown(written, 20)}, expected a number of at most {LARGEST_NUMBER:g} in size")
    return number


def decide_task(labels: Sequence[str], column: str, tolerated: float) -> tuple[str, str]:
    """``classify`` or ``regress``, and the reason.

    Numbers other than a few integers are regressed, even if a share of up to ``tolerated``, or of NaN, is no number:
    those rows are then rejected.
    """
    counts = Counter(labels)
    numbers = {label for label in counts if is_number(label)}
    others = [label for label in counts if label not in numbers]
    if any(map(_DECIMAL_COMMA.fullmatch, others)) and all(map(_NUMBER_WITH_COMMA.fullmatch, counts)):
        raise DataError(f"{column!r} holds numbers with a decimal comma, such as {shown(others[0], 20)}. Write them "
                        "with a point; or, if they are labels, say so: the task is classify.")
    values = {float(label) for label in numbers}
    few_integers = len(values) <= MOST_INTEGER_LABELS and all(value.is_integer() for value in values)
    if few_integers and not others:
        return "classify", f"{column!r} holds {len(counts)} different integer{'s' * (len(counts) != 1)}"
    no_number = sum(counts[label] for label in others)
    only_nan = all(label.strip().lower() in _NO_FINITE_NUMBER for label in others)
    if not few_integers and (only_nan or no_number <= tolerated * len(labels)):
        return "regress", f"{column!r} holds {len(values):,} different numbers"
    but = f"; {shown(others[0], 20)} is no number" if not few_integers else ""
    return "classify", f"{column!r} holds {len(counts):,} different string{'s' * (len(counts) != 1)}{but}"


def _instead_of_string(cell: Any) -> str:
    if cell is None:
        return "is missing"
    kinds = {list: "a list", dict: "an object", bool: "true or false", bytes: "bytes that are not UTF-8"}
    return f"holds {kinds.get(type(cell), type(cell).__name__)}, expected a string"


READ_AS: dict[str, Callable[[Any, str], Answer]] = {"classify": label_of, "regress": number_of}
"""How a cell is read for each task of documents."""
