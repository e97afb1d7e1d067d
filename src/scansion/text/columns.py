"""Which columns hold the texts, the target and the split: as asked, as in training, or found; always with a reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from scansion.errors import DataError, UsageError, did_you_mean, shown
from scansion.text.rows import WrittenNumber
from scansion.text.target_cells import is_number, text_of

TEXT_SEPARATOR = "\n\n"
"""What stands between the cells of several text columns, unless a model was trained with something else."""
SPOKEN = {TEXT_SEPARATOR: "a blank line"}

TARGET_NAMES = ("label", "target", "class", "score", "rating")
"""What a target column is called, the likeliest name first; capitals do not matter."""

_LISTED = 20


@dataclass(frozen=True)
class InputColumns:
    """How a model was fed: which columns its texts and answers stood in, and how their cells were read."""

    text: tuple[str, ...] = ()
    """None where texts came without names: in a list, as plain lines, in a folder."""
    target: str | None = None
    text_separator: str = TEXT_SEPARATOR
    """What joins the cells of several text columns."""
    label_separator: str | None = None
    """What stood between several labels in one cell, if anything did."""

    def __post_init__(self) -> None:
        for name in (*self.text, self.target or ""):
            try:
                name.encode()
            except UnicodeEncodeError as error:
                raise UsageError(f"The column {shown(name)} holds half a surrogate pair, and no model folder can keep "
                                 "its name. Rename it.") from error


UNNAMED = InputColumns()


@dataclass(frozen=True)
class Columns:
    """Positions of the chosen columns, and why these."""

    text: tuple[int, ...]
    target: int | None
    split: int | None
    reason: str
    text_separator: str = TEXT_SEPARATOR

    def document(self, cells: Sequence[Any], names: Sequence[str]) -> str:
        """The text of a row. Raises DataError with the reason if there is none: of several cells some may be missing.
        """
        if len(self.text) == 1:
            return text_of(cells[self.text[0]], names[self.text[0]])
        written = [text_of(cells[at], names[at]) for at in self.text if cells[at] is not None]
        if not written:
            raise DataError(f"{_and(names[at] for at in self.text)} are missing")
        return join_cells(written, self.text_separator)


def join_cells(cells: Iterable[str], separator: str = TEXT_SEPARATOR) -> str:
    """One text of the cells of several columns, in order; a cell that holds nothing but blanks is left out."""
    return separator.join(cell for cell in cells if cell and not cell.isspace())


def columns_named(written: str, names: Sequence[str], role: str) -> list[str]:
    """The columns in a list such as ``title,body``; a name may hold commas itself, and the longest that fits is taken.

    Raises UsageError, which says what there is, for a name that no column has and for one that stands there twice.
    """
    parts = written.split(",")
    found: list[str] = []
    while parts:
        ends = range(len(parts), 0, -1)
        tried = [(end, name) for end in ends for name in (",".join(parts[:end]), ",".join(parts[:end]).strip())]
        end, name = next(((end, name) for end, name in tried if name in names), (0, parts[0].strip()))
        if not end:
            raise UsageError(f"There is no column {name!r} for the {role}{did_you_mean(name, names)}")
        if name in found:
            raise UsageError(f"The column {name!r} was named twice for the {role}: {written!r}.")
        found.append(name)
        parts = parts[end:]
    return found


def choose_columns(
    names: Sequence[str],
    sample: Sequence[Sequence[Any]],
    text: str | None = None,
    target: str | None = None,
    split: str | None = None,
    with_target: bool = True,
    remembered: InputColumns = UNNAMED,
) -> Columns:
    """Columns asked for by name, else those ``remembered`` from training; the rest found from their names and
    ``sample``, the cells of the first good rows.

    Raises UsageError, which lists the columns, for an unknown name and wherever there is more than one answer.
    """
    texts, why_text = _texts_known(names, text, remembered)
    targets, why_target = _target_known(names, target, remembered) if with_target else ([], "")
    splits = [] if split is None else [_asked(names, split, "split")]
    given = [*texts, *targets, *splits]
    if len(set(given)) < len(given):
        raise UsageError(f"The same column was named twice: {_listed(given)}. {_has(names)}")
    if not texts:
        taken = {at for at, name in enumerate(names) if name in given or name == remembered.target}
        found, why_text = _longest_texts(names, sample, taken)
        texts = [names[found]]
    if len(texts) > 1:
        between = remembered.text_separator
        why_text += f"; joined by {SPOKEN.get(between) or shown(between)}, empty cells left out"
    reason = f"text: {_and(texts)} ({why_text})"
    text_at, target_at = tuple(map(names.index, texts)), None
    if with_target:
        if not targets:
            found, why_target = _target(names, {*text_at, *map(names.index, splits)})
            targets = [names[found]]
        target_at = names.index(targets[0])
        reason += f"; target: {shown(targets[0])} ({why_target})"
    return Columns(text_at, target_at, names.index(splits[0]) if splits else None, reason, remembered.text_separator)


def _texts_known(names: Sequence[str], text: str | None, remembered: InputColumns) -> tuple[list[str], str]:
    """The columns asked for or remembered, if any, and which of both."""
    if text is not None:
        return columns_named(text, names, "text"), "as given"
    return [_remembered(names, name, "text") for name in remembered.text], "as in training"


def _target_known(names: Sequence[str], target: str | None, remembered: InputColumns) -> tuple[list[str], str]:
    if target is not None:
        return [_asked(names, target, "target")], "as given"
    return [_remembered(names, name, "target") for name in (remembered.target,) if name is not None], "as in training"


def _asked(names: Sequence[str], name: str, role: str) -> str:
    if name not in names:
        raise UsageError(f"There is no column {name!r} for the {role}{did_you_mean(name, names)}")
    return name


def _remembered(names: Sequence[str], name: str, role: str) -> str:
    if name not in names:
        close = get_close_matches(name, names, n=1)
        hint = f"; did you mean {shown(close[0])}?" if close else "."
        raise UsageError(f"There is no column {name!r} for the {role}, as in training{hint} {_has(names)} Rename the "
                         f"column, or name the one to read: --{role} COLUMN.")
    return name


def check_asked(names: Sequence[str], text: str | None, target: str | None) -> None:
    """UsageError for a column that is asked for by name, for a role, and is not there."""
    _texts_known(names, text, UNNAMED)
    _target_known(names, target, UNNAMED)


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


def _and(names: Iterable[str]) -> str:
    *others, last = map(shown, names)
    return f"{', '.join(others)} and {last}" if others else last


def _has(names: Sequence[str]) -> str:
    if len(names) > 1:
        return f"The columns are {_listed(names)}."
    return f"The only column is {shown(names[0])}."
