"""Answers as a table: the columns of the input, the answer, its probability and what else was asked for."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scansion.errors import ScansionError, UsageError
from scansion.storage.limits import MANIFEST
from scansion.text.sources import find_source
from scansion.text.table_writers import WrittenColumn, writer_for
from scansion.text.tables import open_table
from scansion.viewer.files import check_folder

PREDICTION = "prediction"


@dataclass(frozen=True)
class AnswerColumns:
    """What stands behind the kept columns: ``prediction``, of labels ``probability``, and as asked each label's
    probability, ``p(LABEL)``, and ``known`` and ``tokens``.

    Of several labels, ``probability`` holds that of each label which is given.
    """

    form: Any
    probabilities: bool
    counts: bool

    def columns(self) -> list[WrittenColumn]:
        """In their order."""
        form = self.form
        several = {"several": form.several, "separator": form.separator}
        found = [WrittenColumn(PREDICTION, form.kind, values=form.labels, **several)]
        if form.labels:
            found.append(WrittenColumn("probability", float, **several))
        if self.probabilities:
            found += [WrittenColumn(f"p({label})", float) for label in form.labels]
        return found + [WrittenColumn(name, int) for name in ("known", "tokens") if self.counts]

    def rows(self, answers: Any, kept: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
        """The kept cells, and behind them those of each answer."""
        number = {label: at for at, label in enumerate(self.form.labels)}
        for at, (answer, cells) in enumerate(zip(answers.answers, kept, strict=True)):
            row = [*cells, answer]
            if number:
                shares = answers.probabilities[at]
                row.append(tuple(shares[number[label]] for label in answer) if self.form.several
                           else shares[number[answer]])
                row += shares if self.probabilities else []
            yield row + (list(answers.counts[at]) if self.counts else [])


def check_no_collision(kept: Sequence[str], added: Sequence[str]) -> None:
    """UsageError for a kept column that is called like one of the answers."""
    if both := [name for name in kept if name in added]:
        rest = [name for name in kept if name not in both]
        raise UsageError(f"The input has a column {both[0]!r}, as the answers have. Rename it, or leave it out: --keep "
                         f"{','.join(rest) or repr('')}.")


def check_table(out: Path, data: str) -> None:
    """Whether a table can be written, before anything is computed; an older one of predictions is replaced.

    UsageError for an ending that is none, no folder, the data themselves, a model folder and anything else's place.
    """
    writer_for(out.name)
    check_folder(out)
    if (out.absolute().parent / MANIFEST).exists():
        raise UsageError(f"{out.parent} is a model folder, which holds nothing else. Choose another place.")
    if not os.path.lexists(out):
        return
    if os.path.exists(data) and out.exists() and os.path.samefile(out, data):
        raise UsageError(f"{out} is the data itself, and is never written over. Name another file.")
    if not out.is_file():
        raise UsageError(f"{out} is no file. Name one, such as predictions.csv.")
    if out.stat().st_size and not _is_of_predictions(out):
        raise UsageError(f"{out} exists and is no table of predictions. Choose another name, or remove it yourself.")


def _is_of_predictions(file: Path) -> bool:
    try:
        return PREDICTION in open_table(find_source(file)).columns
    except ScansionError:
        return False
