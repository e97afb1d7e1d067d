"""``scansion evaluate``: the scores of a model on a table with answers, with intervals."""

import json
from typing import Annotated, Any

import numpy as np
import typer

from scansion.cli.options import (
    AtLeast,
    Beam,
    Json,
    LabelSeparator,
    MaxBad,
    Model,
    TargetColumn,
    TextColumn,
)
from scansion.cli.reading import Columns, answers, read
from scansion.cli.telling import counted, say
from scansion.cli.translation import print_scores
from scansion.errors import DataError, ThresholdError, UsageError
from scansion.measures.intervals import Interval, interval_of
from scansion.measures.scores import main_measure, measure_all

BETWEEN_LABELS = "|"
FEWEST_ROWS = 2

EXAMPLES = """Examples:
  scansion evaluate model held-out.csv
  scansion evaluate topics held-out.csv --label-separator ';'    several labels in a cell; by default |
  scansion evaluate translator test.en test.de                   BLEU and chrF
  scansion evaluate model held-out.csv --at-least 0.8 --json     exit code 3 if accuracy is below 0.8
"""


def evaluate(
    model: Model,
    data: Annotated[list[str], typer.Argument(metavar="DATA [TARGET]", help="A table with answers; for a translator "
                                              "two files, texts and their translations.")],
    text: TextColumn = None,
    target: TargetColumn = None,
    label_separator: LabelSeparator = None,
    max_bad: MaxBad = None,
    beam: Beam = None,
    at_least: AtLeast = None,
    as_json: Json = False,
) -> None:
    """Score a model on documents whose answers are known."""
    from scansion.tasks.loading import load

    estimator = load(model)
    if hasattr(estimator, "translate"):
        score = print_scores(estimator, data, max_bad, beam, as_json)
        if at_least is not None and score < 100 * at_least:
            raise ThresholdError(f"BLEU is {score:.2f}, below the {100 * at_least:g} that was demanded.")
        return
    if len(data) > 1:
        raise UsageError(f"{model} answers documents, which lie in one table; got {len(data)} files.")
    kind = estimator.head_.kind
    task = "regress" if kind == "regression" else "classify"
    if kind == "multilabel":
        label_separator = label_separator or BETWEEN_LABELS
    documents = read(data[0], Columns(text, target, None, task, label_separator, max_bad))
    if len(documents) < FEWEST_ROWS:
        raise DataError(f"{documents.name} has {counted(len(documents), 'row')}; a score with its interval takes at "
                        f"least {FEWEST_ROWS}.")
    if kind == "multiclass" and any(isinstance(answer, tuple) for answer in answers(documents)):
        raise DataError(f"{documents.name} holds several labels a document, and {model} answers with one.")
    scores = estimator.decision_function(documents.texts)
    truth, found = _comparable(estimator, answers(documents), estimator.answers(scores))
    measure = main_measure(kind)
    interval = interval_of(kind, measure, truth, [found])
    others = {name: float(value) for name, value in measure_all(kind, truth, found).items() if name != measure}
    result = {"metric": measure, "score": interval.score, "low": interval.low, "high": interval.high,
              "rows": len(truth), **others}
    if as_json:
        print(json.dumps(result, indent=2))
    else:
        _print(measure, interval, others, len(truth))
    if at_least is not None and interval.score < at_least:
        raise ThresholdError(f"{measure} is {interval.score:.4f}, below the {at_least} that was demanded.")


def _print(measure: str, interval: Interval, others: dict[str, float], rows: int) -> None:
    """A line a measure, shares in hundredths, the main one first with its interval."""
    from scansion.comparison.figures import percent

    low, high = percent(interval.low, measure), percent(interval.high, measure)
    lines = {measure: interval.score, **others}
    names = max(map(len, lines))
    for name, value in lines.items():
        note = f"  ({low} to {high}, 95 % of {counted(rows, 'row')})" if name == measure else ""
        print(f"{name.replace('_', ' '):{names}}  {percent(value, name):>6}{note}")


def _comparable(estimator: Any, truth: list[Any], found: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Truth and answers as the measures take them; a label that training had not is never answered, so it is wrong."""
    if estimator.head_.kind == "regression":
        return np.asarray(truth, np.float64), np.asarray(found, np.float64)
    several = estimator.head_.kind == "multilabel"
    wanted = [_texts(answer) if several else str(answer) for answer in truth]
    given = [_texts(answer) if several else str(answer) for answer in found]
    known = {str(label) for label in estimator.head_.labels}
    used = {label for answer in wanted for label in (answer if several else [answer])}
    if unseen := sorted(used - known):
        say(f"Warning: training had no {', '.join(map(repr, unseen[:5]))}{' …' if len(unseen) > 5 else ''}; "
            "those rows count as wrong.")
    number = {label: i for i, label in enumerate(sorted(known | used))}
    if not several:
        return np.array([number[a] for a in wanted]), np.array([number[a] for a in given])
    matrices = []
    for side in (wanted, given):
        matrix = np.zeros((len(side), len(number)), np.int64)
        for row, answer in enumerate(side):
            matrix[row, [number[label] for label in answer]] = 1
        matrices.append(matrix)
    return matrices[0], matrices[1]


def _texts(answer: Any) -> list[str]:
    return [str(label) for label in answer]
