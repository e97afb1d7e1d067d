"""Documents: a table of texts and answers -> labels (``classify``) or numbers (``regress``)."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scansion.deferred import deferred
from scansion.errors import DataError, DivergedError, UsageError
from scansion.exporting.catalogue import DOCUMENTS as WRITTEN
from scansion.exporting.catalogue import writing
from scansion.families.baseline import Baseline
from scansion.families.catalogue import DOCUMENT_FAMILIES, configured, name_of, options_of
from scansion.learning.events import Event
from scansion.measures.intervals import interval_of
from scansion.measures.metric import METRICS, Metric
from scansion.measures.ranking import ranking_measures
from scansion.measures.scores import main_measure, measure_all
from scansion.models.document_folder import load_documents
from scansion.storage.folders import Folder
from scansion.storage.pretrained_source import default_at_hand
from scansion.tasks.class_weights import check_class_weight, class_row_weights
from scansion.tasks.classifier import DocumentClassifier
from scansion.tasks.document_estimator import DocumentEstimator
from scansion.tasks.document_scoring import (
    DocumentScoring,
    compared_documents,
    facts_of_documents,
    fewest_rows,
    label_groups,
)
from scansion.tasks.one_document import explained, look, served
from scansion.tasks.regressor import DocumentRegressor
from scansion.tasks.target_questions import QUESTIONS, in_command
from scansion.tasks.task import (
    OF_FILES,
    Answered,
    AnswerForm,
    Answers,
    ComparedData,
    ComparedTask,
    Dataset,
    Evaluation,
    FitRequest,
    FittedTask,
    PredictOptions,
    ReadOptions,
    Summary,
    Task,
)
from scansion.text.corpus import is_plain_text
from scansion.text.documents import MOST_BAD, Documents, check_columns, read_documents
from scansion.viewer.number_format import counted, score_shown

exported = deferred("scansion.models.exporters", "exported")

SEEDS = 3
BETWEEN_LABELS = "|"
FEWEST_TO_SCORE = 2


# Reading and fitting


def read_table(paths: Sequence[str], options: ReadOptions) -> Dataset:
    """A table, a folder of labels or standard input; its targets say whether to classify or to regress."""
    documents = read_documents(
        paths[0], text=options.text, target=options.target, split=options.split, task=options.task,
        label_separator=options.label_separator, max_bad=MOST_BAD if options.max_bad is None else options.max_bad,
        remembered=options.remembered, file=options.file,
    )
    columns = replace(
        options, text=None, target=None, split=None, task=documents.task, remembered=documents.columns,
        file=options.file.for_another_file(),
    )
    return Dataset(
        documents.task or DocumentClassifier.task, documents.name, documents.texts, list(documents.targets or []),
        len(documents), tuple(_remarks(documents)), columns, documents.splits,
        documents.texts.others,
    )


def _remarks(documents: Documents) -> Iterator[str]:
    yield f"{documents.name}: {counted(len(documents), 'document')}. {documents.reason}"
    rejected = documents.rejected
    if rejected.count:
        yield (f"Warning: {counted(rejected.count, 'row')} could not be read; kept with the reason in "
               f"{rejected.quarantine}.")


def questions_of(data: Dataset) -> tuple[str, ...]:
    """Warnings and no errors: a model of one answer is a model."""
    found = QUESTIONS[data.task](data.targets, in_command(data.columns.remembered.target, data.others))
    if len(set(data.targets)) == 1:
        found = ("every document has the same answer; there is nothing to learn from them.", *found)
    return tuple(f"Warning: {question}" for question in found)


def fit_estimator(
    kind: type[DocumentEstimator], data: Dataset, request: FitRequest
) -> Generator[Event, None, DocumentEstimator]:
    """An estimator of the kind, fitted to the data, which remembers their columns."""
    return kind(request.family, **request.arguments).fitting(
        data.inputs, data.targets, unlabelled=request.unlabelled, checkpointing=request.checkpointing,
        columns=data.columns.remembered,
    )


def fit_classifier(data: Dataset, request: FitRequest) -> Generator[Event, None, DocumentEstimator]:
    """Labels."""
    return fit_estimator(DocumentClassifier, data, request)


def fit_regressor(data: Dataset, request: FitRequest) -> Generator[Event, None, DocumentEstimator]:
    """Numbers."""
    return fit_estimator(DocumentRegressor, data, request)


def report_of_fit(estimator: DocumentEstimator, place: str) -> Summary:
    """What a fit has come to."""
    report, family = estimator.fit_report_, name_of(estimator.check_fitted().family)
    valid, score, metric = report.validation, "", METRICS[report.measure]
    if valid is not None:
        value, low, high = (score_shown(each, metric.in_hundredths) for each in (valid.score, valid.low, valid.high))
        score = f" {report.measure.replace('_', ' ')} on rows kept back: {value} ({low} to {high})."
    return Summary(
        {
            "model": place, "task": estimator.task, "family": family, "metric": report.measure,
            "validation": None if valid is None else {"score": valid.score, "low": valid.low, "high": valid.high},
            "fit_seconds": report.seconds, "processor_seconds": report.processor_seconds,
            "parameters": report.parameters, "notes": list(report.notes),
        },
        (f"{place}: {family}, {report.parameters:,} parameters, {report.cost}.{score}",),
        report.notes,
    )


# Models


def load_classifier(folder: Folder) -> DocumentClassifier:
    """The classifier in a verified folder."""
    return DocumentClassifier.from_fitted(load_documents(folder))


def load_regressor(folder: Folder) -> DocumentRegressor:
    """The regressor in a verified folder."""
    return DocumentRegressor.from_fitted(load_documents(folder))


def export(estimator: DocumentEstimator, engine: str, precision: Any, replicas: int | None) -> Any:
    """The same estimator with its encoder in another engine; or the files of another runtime, to be saved."""
    fitted = estimator.check_fitted()
    if engine in WRITTEN:
        return writing(WRITTEN, engine, precision)[fitted.model.kind](fitted)
    return type(estimator).from_fitted(replace(fitted, model=exported(fitted.model, engine, precision, replicas)))


def read_options(estimator: DocumentEstimator, options: ReadOptions) -> ReadOptions:
    """Columns are those of the training, and a table's targets are what the estimator answers with."""
    answers = form(estimator)
    separator = options.label_separator or (answers.separator if answers.several else None)
    columns = estimator.check_fitted().columns
    return replace(options, task=estimator.task, label_separator=separator, remembered=columns)


def check_named(paths: Sequence[str], options: ReadOptions) -> None:
    """UsageError or DataError for a table or a column that was named and is not there."""
    for path in paths:
        check_columns(path, options.text, options.target, options.file)


def evaluate(estimator: DocumentEstimator, name: str, data: Dataset, beam: int | None) -> Evaluation:
    """The scores of a table, the main measure first and with its interval."""
    head = estimator.check_fitted().head
    if data.rows < FEWEST_TO_SCORE:
        raise DataError(f"{data.name} has {counted(data.rows, 'row')}; a score with its interval takes at least "
                        f"{FEWEST_TO_SCORE}.")
    if head.kind == "multiclass" and any(isinstance(answer, tuple) for answer in data.targets):
        raise DataError(f"{data.name} holds several labels a document, and {name} answers with one.")
    logits = estimator.decision_function(data.inputs)
    truth, found, columns, unseen = _comparable(head, data, head.answers(logits))
    metric = METRICS[main_measure(head.kind)]
    interval = interval_of(head.kind, metric.name, truth, [found])
    measured = measure_all(head.kind, truth, found)
    if head.labels:
        measured |= ranking_measures(truth, _in_columns(columns, head, logits))
    others = {measure: float(value) for measure, value in measured.items() if measure != metric.name}
    result = {"metric": metric.name, "score": interval.score, "low": interval.low, "high": interval.high,
              "rows": len(truth), **others}
    low, high = (score_shown(each, metric.in_hundredths) for each in (interval.low, interval.high))
    note = f"  ({low} to {high}, 95 % of {counted(len(truth), 'row')})"
    lines = _score_lines({metric.name: interval.score, **others}, metric, note)
    return Evaluation(Summary(result, tuple(lines), tuple(unseen)), interval.score, metric)


def _score_lines(scores: Mapping[str, float], main: Metric, note: str) -> Iterator[str]:
    width = max(map(len, scores))
    for name, value in scores.items():
        written = score_shown(value, METRICS[name].in_hundredths)
        yield f"{name.replace('_', ' '):{width}}  {written:>6}{note if name == main.name else ''}"


def _in_columns(columns: Sequence[str], head: Any, logits: np.ndarray) -> np.ndarray:
    """The probability of each label, (N, C); 0 of one that training had not."""
    given, places = np.zeros((len(logits), len(columns))), {label: place for place, label in enumerate(columns)}
    given[:, [places[str(label)] for label in head.labels]] = head.probabilities(logits)
    return given


def _comparable(head: Any, data: Dataset, found: list[Any]) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """Truth and answers as the measures take them, the labels that they number, and what is to be remarked.

    A label that training had not is never answered, so it is wrong.

    DataError if training had none of them: then these are the answers to another question.
    """
    truth = data.targets
    if head.kind == "regression":
        return np.asarray(truth, np.float64), np.asarray(found, np.float64), [], []
    several = head.kind == "multilabel"
    wanted, given = ([[str(label) for label in (answer if several else [answer])] for answer in side]
                     for side in (truth, found))
    known = {str(label) for label in head.labels}
    used = {label for answer in wanted for label in answer}
    unseen = sorted(used - known)
    if used and not used & known:
        raise DataError(f"{data.name}: training had none of the labels in {str(data.columns.remembered.target)!r}: "
                        f"{_some(unseen)}; it had {_some(sorted(known))}. Name the column of those: --target COLUMN.")
    remarks = [f"Warning: training had no {_some(unseen)}; those rows count as wrong."]
    columns = sorted(known | used)
    number = {label: i for i, label in enumerate(columns)}
    if not several:
        sides = [np.array([number[answer[0]] for answer in side]) for side in (wanted, given)]
    else:
        sides = [np.zeros((len(side), len(number)), np.int64) for side in (wanted, given)]
        for matrix, side in zip(sides, (wanted, given), strict=True):
            for row, answer in enumerate(side):
                matrix[row, [number[label] for label in answer]] = 1
    return sides[0], sides[1], columns, remarks if unseen else []


def _some(labels: Sequence[str]) -> str:
    return ", ".join(map(repr, labels[:5])) + " …" * (len(labels) > 5)


def form(estimator: DocumentEstimator) -> AnswerForm:
    """Labels, sets of labels or numbers."""
    fitted = estimator.check_fitted()
    labels, separator = tuple(fitted.head.labels), fitted.columns.label_separator or BETWEEN_LABELS
    return AnswerForm(type(labels[0]) if labels else float, labels, fitted.head.kind == "multilabel", separator)


def predict(
    estimator: DocumentEstimator, parts: Iterable[list[str]], options: PredictOptions
) -> Iterator[Answers]:
    """An answer a document."""
    fitted = estimator.check_fitted()
    for texts in parts:
        logits = estimator.decision_function(texts)
        yield Answers(
            fitted.answers(logits), fitted.head.probabilities(logits).tolist() if options.probabilities else None,
            estimator.coverage(texts).tolist() if options.counts else None,
        )


def documents_in(path: str, options: ReadOptions) -> Documents:
    """The documents of a table or of plain text."""
    return read_documents(
        path, text=options.text, with_target=False, remembered=options.remembered, file=options.file
    )


# Comparison


def usual_families() -> list[Any]:
    """All of them, those of pretrained weights if the default ones are installed."""
    weighty = {name for name, kind in DOCUMENT_FAMILIES.items() if "source" in options_of(kind)}
    left_out = {name_of(Baseline())} | (set() if default_at_hand() else weighty)
    return [kind() for name, kind in DOCUMENT_FAMILIES.items() if name not in left_out]


def answer_classes(estimator: DocumentEstimator, texts: list[str], targets: list[Any]) -> Answered:
    """Labels, with the probability of each answer (N,), or of each of several labels (N, labels): 0 if unknown."""
    head, logits = estimator.check_fitted().head, _finite(estimator.decision_function(texts))
    probabilities = head.probabilities(logits).astype(np.float32)
    answers = [list(answer) if isinstance(answer, tuple) else answer for answer in head.answers(logits)]
    if head.kind != "multilabel":
        return Answered(answers, probabilities.max(axis=1))
    labels = sorted({label for held in targets for label in held})
    confidences = np.zeros((len(logits), len(labels)), np.float32)
    confidences[:, np.searchsorted(labels, head.labels)] = probabilities
    return Answered(answers, confidences)


def answer_numbers(estimator: DocumentEstimator, texts: list[str], targets: list[Any]) -> Answered:
    """Numbers."""
    return Answered(estimator.check_fitted().answers(_finite(estimator.decision_function(texts))))


def _finite(logits: np.ndarray) -> np.ndarray:
    if not np.isfinite(logits).all():
        wrong = int(np.sum(~np.isfinite(logits).all(axis=1)))
        raise DivergedError(f"{wrong:,} test texts got answers that are no numbers.")
    return logits


def check_weighting(data: ComparedData, options: Mapping[str, Any]) -> None:
    """UsageError for a weighting there is not."""
    check_class_weight(options["class_weight"])
    class_row_weights(options["class_weight"], data.encoded.head, data.encoded.encoded)


def _nothing(data: ComparedData) -> list[Any]:
    return []


def configuration(name: str | None) -> Any:
    """A family's configuration from its name."""
    if name is None:
        raise UsageError("Which family? Give --family; scansion families lists them.")
    return configured(name, DOCUMENT_FAMILIES)


COMPARED = ComparedTask(
    DocumentClassifier, SEEDS, usual_families, lambda data: "majority", Baseline(), _nothing, compared_documents,
    DocumentScoring, facts_of_documents, check_weighting, answer_classes, label_groups, fewest_rows,
    drops_early=True,
)
FITTED = FittedTask(
    load_classifier, export, read_options, evaluate, form, predict, documents_in, True, look, check_named,
    explain=explained, served=served, formats=tuple(WRITTEN),
    engines=("ctranslate2",),
)

OF_TABLES = frozenset({"--text", "--target", "--task", "--label-separator"}) | OF_FILES
OF_FIT = OF_TABLES | {"--from", "--mode", "--static", "--pretrain", "--unlabelled"}
OPTIONS = {
    "fit": OF_FIT,
    "compare": OF_FIT | {"--split", "splits", "--folds", "--learning-curve"},  # a column, or its values in Python
    "predict": OF_FILES | {
        "--text", "--proba", "--read", "--label-separator", "--vectors", "--json", "--out", "--keep",
    },
    "evaluate": OF_TABLES,
    "look": frozenset({"--answer", "--window"}),
}
WEIGHTED = OPTIONS | {verb: OPTIONS[verb] | {"--class-weight"} for verb in ("fit", "compare")}

CLASSIFY = Task(
    DocumentClassifier.task, "a table of texts and labels", 1, DOCUMENT_FAMILIES, WEIGHTED,
    frozenset({"class_weight", "pretrain"}), read_table, configuration, fit_classifier, report_of_fit,
    takes_by_itself=lambda data: not is_plain_text(data), checked=questions_of, fitted=FITTED, compared=COMPARED,
)
REGRESS = Task(
    DocumentRegressor.task, "a table of texts and numbers", 1, DOCUMENT_FAMILIES, OPTIONS, frozenset({"pretrain"}),
    read_table, configuration, fit_regressor, report_of_fit, takes_by_itself=CLASSIFY.takes_by_itself,
    checked=questions_of, fitted=replace(FITTED, load=load_regressor),
    compared=replace(COMPARED, estimator=DocumentRegressor, baseline=lambda data: "mean", answer=answer_numbers),
)
