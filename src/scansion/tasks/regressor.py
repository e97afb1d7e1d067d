"""DocumentRegressor: documents of any length -> a number each, by any family."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from scansion.heads.catalogue import Head
from scansion.heads.regression import RegressionHead
from scansion.learning.training import Pretraining, Training
from scansion.tasks.document_estimator import DocumentEstimator
from scansion.tasks.sample_rows import check_lengths
from scansion.tasks.targets import numbers_from


class DocumentRegressor(DocumentEstimator):
    """Documents -> a number each; parameters and attributes are those of :class:`DocumentClassifier` without labels."""

    task = "regress"
    estimator_type = "regressor"

    def __init__(
        self,
        family: Any = "n-grams",
        *,
        budget: float | str | None = None,
        training: Training | None = None,
        pretrain: str | Pretraining | None = None,
        processes: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.family = family
        self.budget = budget
        self.training = training
        self.pretrain = pretrain
        self.processes = processes
        self.random_state = random_state

    def score(self, texts: Iterable[str], targets: Any, sample_weight: Any = None) -> float:
        """The coefficient of determination R^2, scikit-learn's score of a regressor."""
        found = self.predict(texts)
        check_lengths(len(found), targets)
        wanted = numbers_from(targets)
        weights = np.ones(len(wanted)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        total = float(weights @ (wanted - np.average(wanted, weights=weights)) ** 2)
        return 1.0 - float(weights @ (wanted - found) ** 2) / total if total else 0.0

    def head_for(self, targets: Any) -> tuple[Head, np.ndarray]:
        """See :class:`DocumentEstimator`."""
        numbers = numbers_from(targets)
        head = RegressionHead(float(numbers.mean()), float(numbers.std()) or 1.0)
        return head, head.encode(numbers)
