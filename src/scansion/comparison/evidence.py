"""What stands behind a score: the answers of each family's first seed, looked at row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scansion.comparison.calibration import Calibration, calibration_of
from scansion.comparison.confusion import Confusion, FoundLabel, confusion_of, found_labels
from scansion.comparison.disagreements import Disagreement, GivenAnswer, disagreements, most_split, told, widest
from scansion.comparison.rows import ComparedRows
from scansion.comparison.runs import Outcome
from scansion.comparison.shared_errors import SharedErrors, is_wrong, shared_errors_of
from scansion.measures.translation import chrf_counts, chrf_of


@dataclass(frozen=True)
class Evidence:
    """Parts that a task does not have are empty; the baseline is not among shared errors and disagreements."""

    confusion: Confusion = field(default_factory=Confusion)
    labels_found: tuple[FoundLabel, ...] = ()
    calibration: Mapping[str, Calibration] = field(default_factory=dict)
    shared_errors: SharedErrors = SharedErrors()  # noqa: RUF009
    disagreements: tuple[Disagreement, ...] = ()


def evidence_of(
    data: ComparedRows, truth: NDArray, answers: Mapping[str, NDArray], confidences: Mapping[str, NDArray],
    baseline: str,
) -> Evidence:
    """Of documents; ``answers`` of the first seed as the measures take them, the best family first."""
    kind = data.head.kind
    calibration = {label: calibration_of(kind, truth, mine, confidences.get(label)) for label, mine in answers.items()}
    rivals = {label: mine for label, mine in answers.items() if label != baseline}
    tested = [int(i) for _, test in data.folds for i in test]
    rows = most_split(kind, rivals, {label: confidences[label] for label in rivals if label in confidences})
    given = {
        label: [_given(data, truth, label, mine, confidences.get(label), row) for row in rows]
        for label, mine in rivals.items()
    }
    return Evidence(
        confusion_of(data.head.labels, truth, answers) if kind == "multiclass" else Confusion(),
        found_labels(data.head.labels, truth, answers) if kind == "multilabel" else (),
        {label: each for label, each in calibration.items() if each is not None},
        shared_errors_of(kind, truth, rivals),
        disagreements(rows, [data.texts[i] for i in tested], tested, [data.targets[i] for i in tested], given),
    )


def evidence_of_translations(
    read: Sequence[str], wanted: Sequence[str], positions: Sequence[int], answers: Mapping[str, Sequence[str]]
) -> Evidence:
    """Of translators, the best first: the sentences whose chrF differs most between families."""
    if len(answers) < 2:
        return Evidence()
    scores = {label: chrf_of(chrf_counts(mine, wanted)) / 100 for label, mine in answers.items()}
    rows = widest(np.stack(list(scores.values())))
    given = {
        label: [GivenAnswer(label, told(mine[row]), chrf=float(scores[label][row])) for row in rows]
        for label, mine in answers.items()
    }
    return Evidence(disagreements=disagreements(rows, read, positions, [told(text) for text in wanted], given))


def confidences_of(outcomes: Sequence[Outcome]) -> NDArray | None:
    """The probabilities of one seed's answers, its folds in order; None if there are none."""
    parts = [outcome.confidences for outcome in outcomes]
    return None if any(part is None for part in parts) else np.concatenate(parts)


def _given(
    data: ComparedRows, truth: NDArray, label: str, answers: NDArray, confidences: NDArray | None, row: int
) -> GivenAnswer:
    if data.head.kind == "regression":
        return GivenAnswer(label, float(answers[row]))
    right = not is_wrong(truth[row : row + 1], answers[row : row + 1])[0]
    if data.head.kind == "multilabel":
        return GivenAnswer(label, [data.head.labels[i] for i in np.flatnonzero(answers[row])], right)
    probability = None if confidences is None else float(confidences[row])
    return GivenAnswer(label, data.head.labels[answers[row]], right, probability)
