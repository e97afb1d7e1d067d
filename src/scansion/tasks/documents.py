"""DocumentClassifier and DocumentRegressor: documents of any length -> labels or numbers, by any family.

They follow scikit-learn: the constructor stores its arguments untouched, ``fit`` validates and returns ``self``, what
was learned ends in an underscore, ``family__width`` reaches inside a family's configuration.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from scipy.sparse import csr_matrix, vstack
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from scansion.errors import NotFittedError, UsageError, did_you_mean
from scansion.families.catalogue import Family, family_from, name_of
from scansion.families.pretrained import Pretrained
from scansion.heads.catalogue import Head
from scansion.heads.label_sets import LabelSetsHead
from scansion.heads.labels import LabelsHead
from scansion.heads.numbers import NumbersHead
from scansion.learning.budget import seconds_of
from scansion.learning.counted import Remark, Stage
from scansion.learning.gradient import Step, Training
from scansion.learning.parallel import cores
from scansion.learning.pretraining import Pretraining
from scansion.learning.recipes import recipe_of
from scansion.learning.run import Epoch
from scansion.measures.intervals import Interval, interval_of
from scansion.measures.scores import main_measure
from scansion.randomness import seed_from
from scansion.storage.fingerprints import fingerprint_of, sha256_of
from scansion.storage.manifest import library_versions
from scansion.storage.schema import to_json
from scansion.storage.strict_json import json_bytes
from scansion.tasks.answers import label_set_matrix, label_sets_from, labels_from, numbers_from
from scansion.tasks.explaining import Explanation, answer_of, explanation
from scansion.tasks.fitting import Fitted, Lesson, learn, read_documents
from scansion.tasks.keeping import Keeping
from scansion.tasks.looking import look
from scansion.tasks.rows import WithUnlabelled, check_lengths, counting_rows
from scansion.tasks.saving import save_documents
from scansion.text.documents import check_documents
from scansion.viewer.look import Look

CHARACTERS_AT_A_TIME = 1 << 24
OWN = "own"


@dataclass(frozen=True)
class FitReport:
    """What a fit did: its cost, and its score on rows it kept back (an inner choice was made on them too)."""

    seconds: float
    """Of a run that was gone on with, those since then."""
    parameters: int
    workers: int
    """Processes beside the caller's own that trained it."""
    measure: str
    validation: Interval | None
    """Every row kept back counts once, whatever its weight."""
    notes: tuple[str, ...]
    cut_short: bool
    """Whether the budget was spent before all was learned."""


def check_pretraining(pretrain: str | None, unlabelled: Iterable[str] | None) -> None:
    """UsageError for a pretraining there is not, and for texts to pretrain on without one."""
    if pretrain not in (None, OWN):
        raise UsageError(f"pretrain is None or {OWN!r}; got {pretrain!r}.")
    if unlabelled is not None and not pretrain:
        raise UsageError(f"Texts without answers are for pretraining. Give pretrain={OWN!r} (--pretrain own) too.")


class DocumentEstimator(BaseEstimator):
    """What both tasks share; use :class:`DocumentClassifier` or :class:`DocumentRegressor`."""

    def fit(
        self, texts: Iterable[str], targets: Any, sample_weight: Any = None, unlabelled: Iterable[str] | None = None
    ) -> Self:
        """Learn from texts and their answers.

        ``texts`` is anything that can be read twice; ``targets`` has one entry a text; ``sample_weight (N,)``, and
        a row of weight 0 is as good as absent; ``unlabelled`` are more texts to pretrain on.
        UsageError for arguments that do not fit together, DataError for data that cannot be learned from.
        """
        for _ in self.fitting(texts, targets, sample_weight, unlabelled):
            pass
        return self

    def fitting(
        self, texts: Iterable[str], targets: Any, sample_weight: Any = None, unlabelled: Iterable[str] | None = None,
        keeping: Keeping | None = None,
    ) -> Iterator[Stage | Remark | Step | Epoch]:
        """The same as :meth:`fit`, as a generator of what happens: progress is an ordinary ``for`` around it.

        With ``keeping`` a run of steps can be stopped and gone on with; InterruptedRunError when it was stopped.
        """
        begun = time.monotonic()
        deadline = begun + seconds_of(self.budget)
        family = family_from(self.family)
        texts, targets, weights = counting_rows(check_documents(texts), targets, sample_weight)
        head, encoded = self.head_for(targets)
        self._check_pretraining(family, unlabelled)
        yield Stage("reading words")
        everything = WithUnlabelled(texts, () if unlabelled is None else check_documents(unlabelled))
        documents = read_documents(family, everything)
        rows = everything.rows
        if rows != len(encoded):
            raise UsageError(f"There are {rows:,} texts but {len(encoded):,} targets; give one target a text.")
        weights = np.ones(len(encoded)) if weights is None else weights
        if getattr(self, "class_weight", None) == "balanced":
            weights = weights * head.balance(encoded)
        weights = weights / weights.mean()
        seed = seed_from(self.random_state)
        training = recipe_of(family) if self.training is None else self.training
        fitted, kept, first, fingerprint = None, None, None, fingerprint_of(texts)
        pretraining = Pretraining() if self.pretrain else None
        if keeping is not None and family.learner == "gradient":
            described = self._described(family, head, encoded, weights, seed, fingerprint, training)
            described |= {"encoder": getattr(documents, "fingerprint", None)}
            if pretraining is not None:
                described |= {"pretraining": to_json(pretraining), "all texts": fingerprint_of(everything)}
                first = keeping.begin(described, before="pretraining")
            kept = keeping.begin(described)
            for remark in keeping.remarks():
                yield Remark(remark)
        lesson = Lesson(head, encoded, weights, seed, training, self.processes, deadline, kept, pretraining, first)
        for event in learn(family, documents, lesson):
            if isinstance(event, Fitted):
                fitted = event
            else:
                yield event
        self.family_, self.head_, self.seed_ = family, head, seed
        self.model_, self.n_documents_in_ = fitted.model, rows
        self.data_fingerprint_, self.training_ = fingerprint, training
        self.fit_report_ = _report(fitted, head, encoded, time.monotonic() - begun)
        self._learned()

    def _check_pretraining(self, family: Family, unlabelled: Iterable[str] | None) -> None:
        check_pretraining(self.pretrain, unlabelled)
        if self.pretrain and (family.learner != "gradient" or isinstance(family, Pretrained)):
            raise UsageError(f"The family {name_of(family)} cannot be pretrained on your texts; rnn, lstm and "
                             "transformer can.")

    def _described(
        self, family: Family, head: Head, encoded: np.ndarray, weights: np.ndarray, seed: int, fingerprint: str,
        training: Training,
    ) -> dict[str, Any]:
        """All that a fit is a function of, as JSON values."""
        return {
            "family": name_of(family), "options": to_json(family), "seed": seed,
            "labels": sha256_of(json_bytes(to_json(head))), "training": to_json(training),
            "processes": self.processes, "budget": self.budget, "cores": cores(),
            "threads": torch.get_num_threads(), "documents": len(encoded), "texts": fingerprint,
            "targets": sha256_of(encoded.tobytes()), "class_weight": getattr(self, "class_weight", None),
            "weights": sha256_of(weights.tobytes()), "versions": library_versions(),
        }

    def predict(self, texts: Iterable[str]) -> np.ndarray:
        """One answer a text, in the order given."""
        scores = self.decision_function(texts)
        return self._answers(self.head_.decide(scores))

    def answers(self, scores: np.ndarray) -> list[Any]:
        """Scores (N, K) as plain answers: a label, a tuple of labels or a number each."""
        decided = self.head_.decide(scores)
        if isinstance(self.head_, LabelSetsHead):
            return [tuple(self.head_.labels[i] for i in np.flatnonzero(row)) for row in decided]
        return self._answers(decided).tolist()

    def decision_function(self, texts: Iterable[str]) -> np.ndarray:
        """The head's scores, (N, K), before they become probabilities or numbers."""
        parts = [self.model_.scores(part) for part in self._parts(texts)]
        return np.concatenate(parts) if parts else np.zeros((0, self.head_.size))

    def transform(self, texts: Iterable[str]) -> np.ndarray | csr_matrix:
        """The vectors that the head sees, (N, D): sparse where they are counted; the encoder's where it is frozen."""
        parts = [self.model_.vectors(part) for part in self._parts(texts)] or [self.model_.vectors([])]
        return vstack(parts, format="csr") if isinstance(parts[0], csr_matrix) else np.concatenate(parts)

    def coverage(self, texts: Iterable[str]) -> np.ndarray:
        """Tokens the model knows and tokens there are, for each text: (N, 2)."""
        parts = [self.model_.coverage(part) for part in self._parts(texts)]
        return np.concatenate(parts) if parts else np.zeros((0, 2), np.int64)

    def explain(self, text: str, answer: Any = None) -> Explanation:
        """What each token adds to the score of an answer, by default the one that is given.

        UsageError for a label there is not.
        """
        self._check_fitted()
        return explanation(self.model_, answer_of(self.head_, self.model_.scores([text]), answer), text)

    def look(self, text: str, answer: Any = None, window: int = 1) -> Look:
        """What the model does with a text: see :func:`scansion.look`, which sets several models side by side."""
        return look([self], text, answer, window)

    def save(self, folder: str | Path) -> None:
        """Write a model folder; see :func:`scansion.load`."""
        self._check_fitted()
        save_documents(self, Path(folder))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments, and the family's options as ``family__OPTION``."""
        params = super().get_params(deep=False)
        if deep:
            family = family_from(self.family)
            params.update({f"family__{field.name}": getattr(family, field.name) for field in fields(family)})
        return params

    def set_params(self, **params: Any) -> Self:
        """Set arguments; ``family__width=256`` replaces one option of the family."""
        if "family" in params:
            self.family = params.pop("family")
        for key, value in params.items():
            inside = key.removeprefix("family__")
            known = self.get_params(deep=True)
            if key not in known:
                raise UsageError(f"{type(self).__name__} has no parameter {key!r}{did_you_mean(key, known)}")
            if key == inside:
                setattr(self, key, value)
            else:
                self.family = replace(family_from(self.family), **{inside: value})
        return self

    def _parts(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """The texts, some at a time."""
        self._check_fitted()
        part: list[str] = []
        size = 0
        for text in check_documents(texts):
            part.append(text)
            size += len(text)
            if size > CHARACTERS_AT_A_TIME:
                yield part
                part, size = [], 0
        if part:
            yield part

    def _check_fitted(self) -> None:
        if not hasattr(self, "model_"):
            raise NotFittedError(f"This {type(self).__name__} has no model yet. Call fit(texts, targets) first.")

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.no_validation = True
        tags.non_deterministic = False
        return tags


class DocumentClassifier(ClassifierMixin, DocumentEstimator):
    """Documents -> one label each (strings, integers or booleans), or any subset of the labels.

    ``family`` is a name in ``scansion.FAMILIES`` or a configuration such as ``scansion.LSTM(width=256)``.
    ``class_weight="balanced"`` lets every label count alike, before ``sample_weight``.  ``budget`` bounds the whole fit
    (``90``, ``"5m"``); what is under way when it is spent is finished.
    ``training`` None is the family's recipe; ``pretrain="own"`` lets a reader first learn from all texts without their
    answers.  ``processes`` None takes two one-thread processes when a run is long enough to repay their start.
    Several labels a document are given as a list of tuples of labels, or as an (N, labels) array of 0 and 1.
    """

    def __init__(
        self,
        family: str | Family = "n-grams",
        *,
        class_weight: str | None = None,
        budget: float | str | None = None,
        training: Training | None = None,
        pretrain: str | None = None,
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
        scores = self.decision_function(texts)
        return self.head_.probabilities(scores)

    def score(self, texts: Iterable[str], targets: Any, sample_weight: Any = None) -> float:
        """The share of texts answered exactly right."""
        answers = self.predict(texts)
        check_lengths(len(answers), targets)
        right = np.asarray(self._right(answers, targets), np.float64)
        return float(np.average(right, weights=sample_weight))

    def _right(self, answers: np.ndarray, targets: Any) -> np.ndarray:
        if isinstance(self.head_, LabelSetsHead):
            return (answers == label_set_matrix(targets, self.head_.labels)).all(axis=1)
        return answers == np.asarray(targets)

    def head_for(self, targets: Any) -> tuple[Head, np.ndarray]:
        if self.class_weight not in (None, "balanced"):
            raise UsageError(f"class_weight is None or 'balanced'; got {self.class_weight!r}.")
        sets = label_sets_from(targets)
        if sets is not None:
            labels, matrix = sets
            head = LabelSetsHead(labels)
            return head, head.encode(matrix)
        labels, numbers = labels_from(targets)
        return LabelsHead(labels), numbers

    def _learned(self) -> None:
        self.classes_ = np.array(self.head_.labels)
        self.multilabel_ = isinstance(self.head_, LabelSetsHead)

    def _answers(self, decided: np.ndarray) -> np.ndarray:
        return decided if self.multilabel_ else self.classes_[decided]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class DocumentRegressor(RegressorMixin, DocumentEstimator):
    """Documents -> a number each; the arguments are those of :class:`DocumentClassifier`."""

    def __init__(
        self,
        family: str | Family = "n-grams",
        *,
        budget: float | str | None = None,
        training: Training | None = None,
        pretrain: str | None = None,
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
        spread = float(weights @ (wanted - np.average(wanted, weights=weights)) ** 2)
        return 1.0 - float(weights @ (wanted - found) ** 2) / spread if spread else 0.0

    def head_for(self, targets: Any) -> tuple[Head, np.ndarray]:
        numbers = numbers_from(targets)
        head = NumbersHead(float(numbers.mean()), float(numbers.std()) or 1.0)
        return head, head.encode(numbers)

    def _learned(self) -> None:
        pass

    def _answers(self, decided: np.ndarray) -> np.ndarray:
        return decided


def _report(fitted: Fitted, head: Head, encoded: np.ndarray, seconds: float) -> FitReport:
    measure = main_measure(head.kind)
    validation = None
    if len(fitted.held_out) > 1:
        found = head.decide(fitted.held_out_scores)
        truth = encoded[fitted.held_out]
        truth = truth.astype(np.int64) if head.kind != "regression" else truth * head.deviation + head.mean
        validation = interval_of(head.kind, measure, truth, [found])
    parameters = fitted.model.parameters
    return FitReport(seconds, parameters, fitted.workers, measure, validation, fitted.notes, fitted.cut_short)
