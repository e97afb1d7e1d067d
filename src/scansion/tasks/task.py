"""A task as a value: everything that the comparison, the folders and the command ask about a kind of question.

A new task is a file with such a value, its families, and a line in :mod:`scansion.tasks.catalogue`.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scansion.deferred import DeferredTable
from scansion.errors import UsageError
from scansion.learning.events import Event
from scansion.measures.evidence import Evidence
from scansion.measures.intervals import Interval
from scansion.measures.metric import Metric
from scansion.measures.paired import PairedTest
from scansion.storage.folders import Folder
from scansion.storage.limits import MANIFEST, MOST_FILE_BYTES
from scansion.text.columns import UNNAMED, InputColumns
from scansion.text.documents import Documents
from scansion.text.rows import AS_FOUND, FileOptions
from scansion.viewer.notebook import Page

if TYPE_CHECKING:
    from scansion.inspection.explanation import Explanation
    from scansion.learning.checkpointing import Checkpointing
    from scansion.models.language_writer import Written

Parts = list[tuple[NDArray, NDArray]]
"""Training rows and test rows, (N,) and (M,), of each fold."""


OF_FILES = frozenset({"--separator", "--encoding", "--sheet"})
"""Options of the verbs that read a table."""


@dataclass(frozen=True)
class ReadOptions:
    """How a user's files are to be read; None is for the reader to decide."""

    text: str | None = None
    target: str | None = None
    split: str | None = None
    task: str | None = None
    label_separator: str | None = None
    max_bad: float | None = None
    file: FileOptions = AS_FOUND
    remembered: InputColumns = UNNAMED
    """What holds where nothing else is said: how a model was fed, or a first file of the same kind."""
    documents: str | None = None
    """What a document of plain text is, see :data:`scansion.text.corpus.CHOSEN`."""


@dataclass(frozen=True)
class Dataset:
    """Inputs and targets as read from a user's files, and what was decided while reading."""

    task: str
    name: str
    inputs: Iterable[str]
    targets: Any
    rows: int
    remarks: tuple[str, ...]
    """What was decided and what looks odd, a sentence each."""
    columns: ReadOptions = ReadOptions()
    """What a second file of the same kind is to be read with."""
    splits: Sequence[str] | None = None
    others: tuple[str, ...] = ()
    """Columns that were not read."""


@dataclass(frozen=True, eq=False)
class ComparedData:
    """What families are compared on: inputs and targets, which rows train and which test, and how that was decided."""

    inputs: list[str]
    targets: list[Any]
    folds: Parts
    split: str
    encoded: Any = None
    """What the task made of the targets."""

    @property
    def tested(self) -> list[int]:
        """The test rows of all folds, in their order."""
        return [int(row) for _, test in self.folds for row in test]


class Scoring(Protocol):
    """How predictions for the tested rows of some data are judged."""

    metric: Metric

    def prediction(self, answers: list[Any]) -> Any:
        """A family's answers to the tested rows, as the other methods take them."""
        ...

    def interval(self, predictions: Sequence[Any], rows: NDArray | None = None) -> Interval:
        """The score over training seeds, on all rows or on some (N,) bool."""
        ...

    def measures(self, prediction: Any) -> dict[str, float]:
        """All measures of one seed's prediction."""
        ...

    def paired_tests(
        self, predictions: Mapping[str, Sequence[Any]]
    ) -> tuple[dict[tuple[str, str], PairedTest], NDArray]:
        """Tests of every two families, and their Holm-adjusted p values (families, families)."""
        ...

    def evidence(
        self, predictions: Mapping[str, Any], confidences: Mapping[str, NDArray], baseline: str
    ) -> Evidence:
        """What stands behind the scores: one seed's predictions, the best family first, row by row."""
        ...


@dataclass(frozen=True, eq=False)
class Answered:
    """Plain answers to inputs, as JSON holds them, and the probability of each answer or label, if there is one."""

    answers: list[Any]
    confidences: NDArray | None = None


@dataclass(frozen=True)
class Summary:
    """What a fit or an evaluation has come to: as JSON, as lines on standard output, and as remarks beside them."""

    json: dict[str, Any]
    lines: tuple[str, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation has come to, and its score by the task's main metric."""

    summary: Summary
    score: float
    metric: Metric


@dataclass(frozen=True)
class PredictOptions:
    """What is asked for beside answers, and how they are decoded."""

    probabilities: bool = False
    counts: bool = False
    beam: int | None = None


@dataclass(frozen=True)
class GenerateOptions:
    """How text is written; see :meth:`scansion.LanguageModel.generate`."""

    max_tokens: int
    temperature: float
    top_k: int | None
    top_p: float | None
    min_p: float | None
    repetition_penalty: float | None
    stop: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class AnswerForm:
    """What a model's answers are like."""

    kind: type = str
    """str, int, bool or float: of an answer, or of each of several labels."""
    labels: tuple[Any, ...] = ()
    """All there are, where answers are labels."""
    several: bool = False
    """Whether an answer is a tuple of labels."""
    separator: str = ""
    """What stands between several labels that are written as one text."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to some inputs in their order, what was asked for beside them, and a remark."""

    answers: Sequence[Any] = ()
    probabilities: Sequence[Sequence[float]] | None = None
    """Of every label, (N, labels)."""
    counts: Sequence[Sequence[int]] | None = None
    """Tokens the model knows and tokens there are, (N, 2)."""
    remark: str = ""


@dataclass(frozen=True)
class LookOptions:
    """What of a text is looked at."""

    answer: str | None = None
    translation: str | None = None
    window: int = 1


@dataclass(frozen=True)
class Looked:
    """A page on one text, and what of it is told on standard output."""

    page: Page
    json: dict[str, Any]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class FitRequest:
    """What ``fit`` was asked for: a configuration, the arguments of the estimator, and the data beside its own."""

    family: Any
    arguments: Mapping[str, Any]
    """Of the estimator's constructor, beside the family."""
    validation: Dataset | None = None
    unlabelled: Iterable[str] | None = None
    checkpointing: "Checkpointing | None" = None


Trained = Any
"""What a fit returns: something with ``save(folder)``."""


@dataclass(frozen=True, eq=False)
class Task:
    """A kind of question: what data it takes, who answers it, and how answers are judged."""

    name: str
    """As folders, reports and ``--task`` have it."""
    about: str
    """What it is, for messages."""
    files: int | None
    """How many files of data it takes; None for any number."""
    families: DeferredTable
    options: Mapping[str, frozenset[str]]
    """By verb, the options that not every task takes."""
    arguments: frozenset[str]
    """Of the estimator's constructor, those that not every task has."""
    read: Callable[[Sequence[str], ReadOptions], Dataset]
    configuration: Callable[[str | None], Any]
    """A family's configuration from its name, for ``fit``."""
    fit: Callable[[Dataset, FitRequest], Generator[Event, None, Trained]]
    report: Callable[[Trained, str], Summary]
    """What a fit has come to; ``str`` is where it was written."""
    folder_files: frozenset[str] = frozenset(MOST_FILE_BYTES)
    """What a folder that a fit writes may hold."""
    folder_mark: str = MANIFEST
    """The file that such a folder is known by."""
    takes_by_itself: Callable[[Sequence[str]], bool] = lambda data: True
    """Whether such files are its own where no task is named and there are as many as it takes."""
    checked: Callable[[Dataset], tuple[str, ...]] = lambda data: ()
    """Warnings about data before a fit, a sentence each."""
    fitted: "FittedTask | None" = None
    """What can be asked of a model; None where a fit leaves none."""
    compared: "ComparedTask | None" = None
    """What a comparison asks; None where there is nothing to compare."""

    def check_options(self, verb: str, given: Mapping[str, Any]) -> None:
        """UsageError for an option that is given and does not go with the task."""
        takes = {_plain(option) for option in self.options.get(verb, frozenset())}
        for option, value in given.items():
            if value is not None and value is not False and _plain(option) not in takes:
                raise UsageError(f"{option} does not go with {self.about} (task: {self.name}). Leave it out.")

    def own(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Of the arguments of estimators those that this task's have, too."""
        return {name: value for name, value in arguments.items() if name in self.arguments}

    def takes(self, data: Sequence[str]) -> bool:
        """Whether these files are its own where no task is named."""
        return self.files in (None, len(data)) and self.takes_by_itself(data)

    def check_files(self, data: Sequence[str]) -> None:
        """UsageError for another number of files than the task takes."""
        if self.files not in (None, len(data)):
            wanted = "one file" if self.files == 1 else f"{self.files} files"
            raise UsageError(f"The task {self.name} takes {wanted} ({self.about}); got {len(data)}.")


@dataclass(frozen=True, eq=False)
class FittedTask:
    """What the command and :func:`scansion.load` ask of a task's models."""

    load: Callable[[Folder], Any]
    """The estimator in a verified model folder."""
    export: Callable[[Any, str, Any, int | None], Any]
    """An estimator in another engine: estimator, engine, precision, replicas."""
    read_options: Callable[[Any, ReadOptions], ReadOptions]
    """How data that an estimator is evaluated on are read, unless it is said."""
    evaluate: Callable[[Any, str, Dataset, int | None], Evaluation]
    """The scores of an estimator: estimator, its name, data, beam."""
    form: Callable[[Any], AnswerForm]
    predict: Callable[[Any, Iterable[list[str]], PredictOptions], Iterator[Answers]]
    """Answers to inputs, those to each part before the next part is asked for."""
    inputs: Callable[[str, ReadOptions], Documents]
    """The inputs in a file of whatever kind."""
    transform: bool
    """Whether an estimator makes vectors of its inputs."""
    look: Callable[[Sequence[Any], str, LookOptions], Looked]
    check_named: Callable[[Sequence[str], ReadOptions], None] = lambda paths, options: None
    """UsageError or DataError for a file or a column that was named and is not there, before a model is restored."""
    generate: Callable[[Any, Sequence[str], GenerateOptions], Iterator["Written"]] | None = None
    """What is written after each prompt, token by token as it comes; None where nothing is."""
    explain: "Callable[[Any, str, str | None], Explanation] | None" = None
    """What each token adds to an answer, by default the one given: estimator, text, label; None where nothing can."""
    served: Callable[[Any], Any] = lambda estimator: estimator
    """The estimator as it is asked by many and for long: it keeps nothing of what it reads."""
    formats: tuple[str, ...] = ()
    """What ``export`` makes that can be saved in a format of its own."""
    engines: tuple[str, ...] = ()
    """What ``export`` makes that answers here, or writes, in place of an estimator."""


@dataclass(frozen=True, eq=False)
class ComparedTask:
    """What a comparison asks of a task."""

    estimator: type
    seeds: int
    """Runs of each family that draws at random, unless another number is asked for."""
    usual: Callable[[], list[Any]]
    """The families that are compared when none are named, without the baseline."""
    baseline: Callable[[ComparedData], str]
    """The name of the baseline in tables."""
    baseline_family: Any
    """The configuration that is trained as the baseline; None where its answers need no training."""
    baseline_answers: Callable[[ComparedData], list[Any]]
    """Its answers to the tested rows, where they need no training."""
    data: Callable[..., ComparedData]
    """Inputs, targets, task, test, splits, folds, test_share, random_state -> what to compare on."""
    scoring: Callable[[ComparedData], Scoring]
    facts: Callable[[ComparedData], dict[str, Any]]
    """What is worth knowing of the data before believing any score."""
    check: Callable[[ComparedData, Mapping[str, Any]], None]
    """UsageError for options that do not fit the data."""
    answer: Callable[[Any, list[str], list[Any]], Answered]
    """An estimator's answers to some inputs; the targets are all there are."""
    groups: Callable[[ComparedData, NDArray], NDArray | None]
    """What a smaller part of the rows (N,) keeps in proportion, (N,); None for nothing."""
    fewest_rows: Callable[[ComparedData], int]
    """The least rows that a learning curve begins with."""
    drops_early: bool = False
    """Whether a family may be dropped by what it has learned from few rows."""
    length_matters: bool = False
    """Whether the table in the terminal shows scores by length."""


def _plain(option: str) -> str:
    """An option of the command and an argument in Python have one name."""
    return option.lstrip("-").replace("-", "_")


def held_out_share(rows: int, share: float) -> int:
    """How many of so many rows a share is; UsageError for what is no share."""
    if not 0 < share < 1:
        raise UsageError(f"test_share must lie between 0 and 1; got {share}.")
    return int(np.round(share * rows))
