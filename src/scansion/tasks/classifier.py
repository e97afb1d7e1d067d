"""DocumentClassifier: documents of any length -> labels, by any family."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from scansion.heads.catalogue import Head
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.multilabel import MultilabelHead
from scansion.learning.training import Pretraining, Training
from scansion.models.document_models import FittedDocuments
from scansion.tasks.class_weights import ClassWeight, check_class_weight
from scansion.tasks.document_estimator import DocumentEstimator
from scansion.tasks.sample_rows import check_lengths
from scansion.tasks.targets import equal_to, label_set_matrix, label_sets_from, labels_from


class DocumentClassifier(DocumentEstimator):
    """Documents -> one label each (strings, integers or booleans), or any subset of the labels.

    Parameters: ``family`` is a name in ``scansion.DOCUMENT_FAMILIES`` or a configuration such as
    ``scansion.LSTM(width=256)``.  ``class_weight="balanced"`` lets every label count alike, before ``sample_weight``;
    a mapping such as ``{"spam": 5}`` says what each counts, those not named 1.
    ``budget`` bounds the whole fit (``90`` seconds, ``"5m"``); what is under way when it is spent is finished.
    ``training`` None is the family's recipe; ``pretrain="own"`` lets a network first learn from all texts without their
    answers, a ``Pretraining(...)`` by that recipe.  ``processes`` None takes two one-thread processes when a run is
    long enough to repay their start.
    ``random_state`` is the seed of everything that is drawn.
    Several labels a document are given as a list of tuples of labels, or as an (N, labels) array of 0 and 1.

    Attributes: ``classes_``, the labels in sorted order; ``multilabel_``; ``n_documents_in_``, rows it was fitted on;
    ``fit_report_``, what the fit cost and how it validated; ``fitted_``, all that was learned, a frozen value;
    ``feature_names_in_``, the columns the texts stood in, where a frame or a series named them.

    Of a frame of several columns the cells of a row are one text, joined by a blank line, empty ones left out. What is
    fitted on a frame takes those columns of any frame, and refuses one that lacks them.
    """

    task = "classify"
    estimator_type = "classifier"

    def __init__(
        self,
        family: Any = "n-grams",
        *,
        class_weight: ClassWeight = None,
        budget: float | str | None = None,
        training: Training | None = None,
        pretrain: str | Pretraining | None = None,
        processes: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.family = family
        self.class_weight = class_weight
        self.budget = budget
        self.training = training
        self.pretrain = pretrain
        self.processes = processes
        self.random_state = random_state

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """A probability for each label in ``classes_``, (N, labels)."""
        logits = self.decision_function(texts)
        return self.fitted_.head.probabilities(logits)

    def score(self, texts: Iterable[str], targets: Any, sample_weight: Any = None) -> float:
        """The share of texts answered exactly right."""
        answers = self.predict(texts)
        check_lengths(len(answers), targets)
        if self.multilabel_:
            right = (answers == label_set_matrix(targets, self.fitted_.head.labels)).all(axis=1)
        else:
            right = equal_to(answers, targets)
        return float(np.average(right, weights=sample_weight))

    def head_for(self, targets: Any) -> tuple[Head, np.ndarray]:
        """See :class:`DocumentEstimator`."""
        check_class_weight(self.class_weight)
        sets = label_sets_from(targets)
        if sets is not None:
            labels, matrix = sets
            several = MultilabelHead(labels)
            return several, several.encode(matrix)
        labels, numbers = labels_from(targets)
        return MulticlassHead(labels), numbers

    def _hold(self, fitted: FittedDocuments) -> Self:
        """See :class:`DocumentEstimator`."""
        self.classes_ = np.array(fitted.head.labels)
        self.multilabel_ = fitted.head.kind == "multilabel"
        return super()._hold(fitted)

    def _answers(self, decided: np.ndarray) -> np.ndarray:
        return decided if self.multilabel_ else self.classes_[decided]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
