"""Questions about targets, asked before anything is learned from them: a warning each, and never an error.

Each names what was found and what else may be meant; who asks says in which words that is done there, for a command and
a call do it differently.
"""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scansion.errors import TargetWarning, shown
from scansion.tasks.targets import KINDS, SETS, plain
from scansion.text.normalization import normal_form
from scansion.text.target_cells import is_number, written_list

FEWEST_ROWS = 10
"""Of fewer rows nothing is surprising."""
SHARE_OF_DATES = 0.9
SHARE_ALONE = 0.5
"""Of rows whose label no other row has."""
SEPARATORS = {"|": 0.0, ";": 0.2, ",": 0.2}
"""What may stand between labels, and the share of rows that must hold it."""
WRITTEN_MISSING = ("nan", "NaN", "NaT", "<NA>")
"""What other programs make of a missing value when they turn it into text."""
WORDS_OF_A_TEXT = 5
SHOWN_GROUPS = 3

_CLOCK = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|\s?[+-]\d{2}:?\d{2})?)?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    rf"\s*(?:\d{{4}}([-/.])\d{{1,2}}\1\d{{1,2}}|\d{{1,2}}([-/.])\d{{1,2}}\2(?:\d{{4}}|\d{{2}})|"
    rf"\d{{1,2}}\.? {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}},? \d{{4}}){_CLOCK}\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Voice:
    """How what was asked for is spoken of."""

    subject: str
    """What holds the targets."""
    another: str
    """How another target is given."""
    several: Callable[[str], str]
    """How labels are told apart that stand between separators in one text."""
    listed: str
    """How several labels are given as lists."""


IN_PYTHON = Voice(
    "The list of targets", "give other targets",
    lambda separator: f"give tuples: [tuple(target.split({separator!r})) for target in targets]",
    "give tuples instead of text that writes them",
)


MANY_LABELS = 1_000


def in_command(column: str | None, others: Sequence[str]) -> Voice:
    """For the command, about a column; ``others`` are those that were not read."""
    there = f" (there are also {', '.join(map(repr, others))})" if others else ""
    return Voice(
        "The target" if column is None else f"The target {column!r}", f"name another with --target{there}",
        lambda separator: f"give --label-separator {separator!r}", "write every cell as such a list, labels in quotes",
    )


def questions_of_labels(targets: Sequence[Any], voice: Voice) -> tuple[str, ...]:
    """What may not be meant with labels, or sets of labels; a sentence or two each."""
    values = [plain(value) for target in targets for value in (target if isinstance(target, SETS) else [target])]
    counts = Counter(value for value in values if type(value) in KINDS and value == value)
    if len(values) < FEWEST_ROWS:
        return ()
    labels = {label: count for label, count in counts.items() if isinstance(label, str)}
    found = list(_dates(labels, len(values), voice))
    if not any(isinstance(target, SETS) for target in targets):
        found = found or list(_several(labels, len(values), voice)) or list(_alone(counts, len(values), voice))
    return (*found, *_many(counts, len(values)), *_missing(labels), *_alike(labels, voice))


def questions_of_numbers(targets: Sequence[Any], voice: Voice) -> tuple[str, ...]:
    """The same of numbers."""
    values = [plain(target) for target in targets]
    whole = all(type(value) in (int, float) and float(value).is_integer() for value in values)
    if len(values) < FEWEST_ROWS or not whole or len(set(values)) < len(values):
        return ()
    if max(values) - min(values) < 2 * len(values) or sorted(values) == values:
        return (
            f"{voice.subject} has another whole number on each of {len(values):,} rows, from {min(values):,.0f} to "
            f"{max(values):,.0f}, as an id has. If that is not meant, {voice.another}.",
        )
    return ()


QUESTIONS: dict[str, Callable[[Sequence[Any], Voice], tuple[str, ...]]] = {
    "classify": questions_of_labels, "regress": questions_of_numbers,
}
"""By the name of the task."""


def ask(task: str, targets: Any) -> None:
    """Questions about the targets of a call, as warnings."""
    if getattr(targets, "ndim", 1) == 1 and hasattr(targets, "__len__") and not isinstance(targets, str):
        for question in QUESTIONS[task](list(targets), IN_PYTHON):
            warnings.warn(question, TargetWarning, stacklevel=3)


def _dates(labels: dict[str, int], rows: int, voice: Voice) -> Iterator[str]:
    found = [label for label in labels if _DATE.fullmatch(label)]
    if found and sum(labels[label] for label in found) >= SHARE_OF_DATES * rows:
        yield (
            f"{voice.subject} holds dates such as {shown(found[0])}, {len(labels):,} different in {rows:,} rows, and "
            f"each is a label of its own. If that is not meant, {voice.another}, or make of each date what is to be "
            "predicted: a year, a weekday, a number of days."
        )


def _alone(counts: Counter[Any], rows: int, voice: Voice) -> Iterator[str]:
    alone = [label for label, count in counts.items() if count == 1]
    if len(alone) < SHARE_ALONE * rows:
        return
    words = sum(len(str(label).split()) for label in alone) / len(alone)
    kind = "a free text" if words >= WORDS_OF_A_TEXT else "an id, a name or a free text"
    yield (
        f"{voice.subject} has {len(counts):,} different labels in {rows:,} rows, as {kind} has (such as "
        f"{shown(str(alone[0]))}), and {len(alone):,} of them are on one row only, from which nothing can be learned. "
        f"If that is not meant, {voice.another}, or join labels to fewer."
    )


def _many(counts: Counter[Any], rows: int) -> Iterator[str]:
    if len(counts) > MANY_LABELS:
        yield (
            f"There are {len(counts):,} different labels, {rows / len(counts):.1f} rows each: a fit's time and memory "
            "grow with their number. If so many are not meant, join labels to fewer."
        )


def _several(labels: dict[str, int], rows: int, voice: Voice) -> Iterator[str]:
    """Labels that may be several."""
    lists = [label for label in labels if written_list(label) or re.fullmatch(r"\s*\[.*,.*\]\s*", label)]
    if lists:
        held = sum(labels[label] for label in lists)
        yield (
            f"{voice.subject} holds what looks like lists of labels, such as {shown(lists[0])}, on {held:,} of "
            f"{rows:,} rows, and each was taken for one label. If they are several, {voice.listed}."
        )
        return
    for separator, share in SEPARATORS.items():
        joined = [label for label in labels if separator in label.strip(f" {separator}")]
        parts = {part.strip() for label in labels for part in label.split(separator)}
        held = sum(labels[label] for label in joined)
        if joined and held > share * rows and (not share or len(parts) <= len(labels)):
            yield (
                f"{held:,} of {rows:,} targets hold {separator!r}, such as {shown(joined[0])}, and each was taken for "
                f"one label. If they are several, {voice.several(separator)}."
            )
            return


def _missing(labels: dict[str, int]) -> Iterator[str]:
    """Labels that may be none."""
    found = [label for label in labels if not label.strip() or label in WRITTEN_MISSING]
    if found:
        yield (
            f"{sum(labels[label] for label in found):,} targets are {shown(found[0])}, which is a label here. If they "
            "are missing, take those rows out."
        )


def _alike(labels: dict[str, int], voice: Voice) -> Iterator[str]:
    """Labels that are written differently and may be the same."""
    groups: dict[Any, list[str]] = {}
    for label in labels:
        key = float(label) if is_number(label) else " ".join(normal_form(label.casefold()).split())
        groups.setdefault(key, []).append(label)
    found = [group for group in groups.values() if len(group) > 1]
    if found:
        first = "; ".join(" and ".join(ascii(label) if not _seen(group) else repr(label) for label in group)
                          for group in found[:SHOWN_GROUPS])
        more = f", and {len(found) - SHOWN_GROUPS:,} more" if len(found) > SHOWN_GROUPS else ""
        yield (
            f"{voice.subject} has labels that differ only in case, blanks or spelling, and are different labels: "
            f"{first}{more}. If they are the same, write them alike."
        )


def _seen(group: list[str]) -> bool:
    """Whether labels can be told apart when they are printed."""
    return len({normal_form(label) for label in group}) == len(group)
