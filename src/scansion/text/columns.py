"""Which column holds the texts, which the target, which the split: as asked, or found, always with a reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scansion.errors import UsageError, did_you_mean, shown
from scansion.text.tables import WrittenNumber
from scansion.text.target_cells import is_number

TARGET_NAMES = ("label", "target", "class", "score", "rating")
"""What a target column is called, the likeliest name first; capitals do not matter."""

_LISTED = 20
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Columns:
    """Positions of the chosen columns, and why these."""

    text: int
    target: int | None
    split: int | None
    reason: str


def choose_columns(
    names: Sequence[str],
    sample: Sequence[Sequence[Any]],
    text: str | None = None,
    target: str | None = None,
    split: str | None = None,
    with_target: bool = True,
) -> Columns:
    """Columns asked for by name; the rest found from their names and ``sample``, the cells of the first good rows.

    Raises UsageError, which lists the columns, for an unknown name and wherever there is more than one answer.
    """
    asked = {role: name for role, name in (("text", text), ("target", target), ("split", split)) if name is not None}
    check_asked(names, asked)
    if len(set(asked.values())) < len(asked):
        raise UsageError(f"The same column was named twice: {_listed(asked.values())}. {_has(names)}")
    taken = {names.index(name) for name in asked.values()}
    if text is None:
        text_at, why = _longest_texts(names, sample, taken)
        taken.add(text_at)
    else:
        text_at, why = names.index(text), "as given"
    reason = f"text: {shown(names[text_at])} ({why})"
    target_at = None
    if with_target:
        target_at, why = (names.index(target), "as given") if target is not None else _target(names, taken)
        reason += f"; target: {shown(names[target_at])} ({why})"
    return Columns(text_at, target_at, None if split is None else names.index(split), reason)


def check_asked(names: Sequence[str], asked: Mapping[str, str]) -> None:
    """UsageError for a column that is asked for by name, for a role, and is not there."""
    for role, name in asked.items():
        if name not in names:
            raise UsageError(f"There is no column {name!r} for the {role}{did_you_mean(name, names)}")


def _longest_texts(names: Sequence[str], sample: Sequence[Sequence[Any]], taken: set[int]) -> tuple[int, str]:
    """The string column with the longest texts; one that is called like a target only if there is no other."""
    if len(names) == 1:
        return 0, "the only column"
    free = [at for at in range(len(names)) if at not in taken and _holds_texts(at, sample)]
    likely = [at for at in free if names[at].lower() not in TARGET_NAMES] or free
    if not likely:
        raise UsageError(f"No column holds texts. {_has(names)} Say which one to read as text.")
    lengths = {at: _mean_length(at, sample) for at in likely}
    longest = max(lengths.values())
    if list(lengths.values()).count(longest) > 1:
        raise UsageError(f"More than one column could be the text. {_has(names)} Say which one to read as text.")
    found = max(lengths, key=lambda at: lengths[at])
    return found, f"the longest texts, {longest:,.0f} characters on average" if len(likely) > 1 else "the only texts"


def _target(names: Sequence[str], taken: set[int]) -> tuple[int, str]:
    left = [at for at in range(len(names)) if at not in taken]
    for usual in TARGET_NAMES:
        called = [at for at in left if names[at].lower() == usual]
        if len(called) == 1:
            return called[0], "by its name"
        if called:
            break
    if len(left) == 1:
        return left[0], "the only column left"
    if not left:
        raise UsageError(f"No column is left for the target. {_has(names)}")
    raise UsageError(f"More than one column could be the target: {_listed(names[at] for at in left)}. {_has(names)} "
                     "Say which one is the target.")


def _holds_texts(at: int, sample: Sequence[Sequence[Any]]) -> bool:
    """Whether a column holds strings, and not only numbers written as strings."""
    cells = [cells[at] for cells in sample if cells[at] is not None and cells[at] != ""]
    strings = [cell for cell in cells if isinstance(cell, str) and not isinstance(cell, WrittenNumber)]
    return len(strings) * 2 > len(cells) and not all(map(is_number, strings))


def _mean_length(at: int, sample: Sequence[Sequence[Any]]) -> float:
    return sum(len(cells[at]) for cells in sample if isinstance(cells[at], str)) / len(sample)


def _listed(names: Iterable[str]) -> str:
    """Names for a message; a table without a header has documents for names, and many of them."""
    names = list(names)
    return ", ".join(map(shown, names[:_LISTED])) + f" and {len(names) - _LISTED} more" * (len(names) > _LISTED)


def _has(names: Sequence[str]) -> str:
    if len(names) > 1:
        return f"The columns are {_listed(names)}."
    for separator, plural in _OTHER_SEPARATORS.items():
        if separator in names[0]:
            return (f"The only column is {shown(names[0])}. If its {plural} separate columns, save the table with "
                    "commas between its cells, or with tabs and a name that ends in .tsv.")
    return f"The only column is {shown(names[0])}."
