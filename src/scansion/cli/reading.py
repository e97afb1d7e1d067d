"""Reading the user's data for a verb, and saying what was decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from scansion.cli.telling import counted, say
from scansion.errors import UsageError
from scansion.text.documents import MOST_BAD, Documents, read_documents

DEMO_SPLIT = "split_textgcn"


@dataclass(frozen=True)
class Columns:
    """Which columns to take and how to read them; None is for the reader to decide."""

    text: str | None = None
    target: str | None = None
    split: str | None = None
    task: str | None = None
    label_separator: str | None = None
    max_bad: float | None = None


def read(path: str, columns: Columns, class_weight: str | None = None) -> Documents:
    """Texts and answers, with what was decided and what was rejected told on standard error.

    UsageError for a weighting of labels where the answers are numbers.
    """
    documents = read_documents(
        path, text=columns.text, target=columns.target, split=columns.split, task=columns.task,
        label_separator=columns.label_separator, max_bad=MOST_BAD if columns.max_bad is None else columns.max_bad,
    )
    say(f"{documents.name}: {counted(len(documents), 'document')}. {documents.reason}")
    rejected = documents.rejected
    if rejected.count:
        say(f"Warning: {counted(rejected.count, 'row')} could not be read; kept with the reason in "
            f"{rejected.quarantine}.")
    if class_weight is not None and documents.task == "regress":
        raise UsageError("--class-weight is for labels, and the task is regress. Leave it out, or give --task "
                         "classify.")
    return documents


def read_unlabelled(path: str | None, text: str | None) -> Iterable[str] | None:
    """Texts without answers, told on standard error; a table's if its columns can be told apart, else plain lines."""
    if path is None:
        return None
    documents = read_documents(path, text=text, with_target=False)
    say(f"{documents.name}: {counted(len(documents), 'document')} without answers, to pretrain on.")
    return documents.texts


def answers(documents: Documents) -> list[Any]:
    """The targets, which were asked for."""
    return list(documents.targets or [])


def demo() -> str:
    """The shipped film review sentences (Pang and Lee 2005, CC BY 4.0)."""
    return str(Path(str(files("scansion"))) / "demo" / "mr.tsv.gz")
