"""What DocumentClassifier and DocumentRegressor share: documents of any length -> answers, by any family.

They follow scikit-learn: the constructor stores its arguments untouched, ``fit`` validates and returns ``self``, what
was learned ends in an underscore, ``family__width`` reaches inside a family's configuration.
"""

import time
from abc import abstractmethod
from collections.abc import Generator, Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.sparse import csr_matrix, vstack

from scansion.deferred import deferred
from scansion.errors import NotFittedError, UsageError, did_you_mean
from scansion.families.catalogue import DOCUMENT_FAMILIES, configured
from scansion.heads.catalogue import Head
from scansion.inspection.explanation import Explanation, answer_of, explanation
from scansion.learning.budget import seconds_of
from scansion.learning.description import FitDescription
from scansion.learning.events import Event, Stage
from scansion.learning.training import Pretraining, recipe_of
from scansion.models.document_folder import save_documents
from scansion.models.document_models import FittedDocuments
from scansion.processors import cost_from_now
from scansion.randomness import seed_from
from scansion.storage.fingerprints import fingerprint_of, sha256_of
from scansion.tasks.class_weights import ClassWeight, class_row_weights, stored_class_weight
from scansion.tasks.estimator import WeightedEstimator
from scansion.tasks.feature_output import FeatureOutput, contained
from scansion.tasks.fit_report import report_of
from scansion.tasks.learners import LEARNERS, READ
from scansion.tasks.sample_rows import WithUnlabelled, counting_rows, pretraining_of
from scansion.tasks.target_questions import ask
from scansion.tasks.training_data import TrainingData
from scansion.text.columns import InputColumns
from scansion.text.documents import check_documents, in_parts
from scansion.text.frames import input_columns
from scansion.text.words import WORD_RULE

if TYPE_CHECKING:
    from scansion.learning.checkpointing import Checkpointing
    from scansion.viewer.look import Look

look_at_documents = deferred("scansion.inspection.document_page", "look_at_documents")


class DocumentEstimator(FeatureOutput, WeightedEstimator):
    """What both estimators share; use :class:`DocumentClassifier` or :class:`DocumentRegressor`."""

    task: ClassVar[str]
    __init__: Any
    family: Any
    budget: float | str | None
    training: Any
    pretrain: str | Pretraining | None
    processes: int | None
    random_state: Any
    class_weight: ClassWeight = None

    def fit(
        self, texts: Iterable[str], targets: Any, sample_weight: Any = None, unlabelled: Iterable[str] | None = None
    ) -> Self:
        """Learn from texts and their answers.

        ``texts`` can be read twice, or are a frame; ``targets`` has one entry a text; ``sample_weight (N,)``, and a row
        of weight 0 is as good as absent; ``unlabelled`` are more texts to pretrain on.
        UsageError for arguments that do not fit together, DataError for data that cannot be learned from.
        """
        ask(self.task, targets)
        for _ in self.fitting(texts, targets, sample_weight, unlabelled):
            pass
        return self

    def fitting(
        self, texts: Iterable[str], targets: Any, sample_weight: Any = None, unlabelled: Iterable[str] | None = None,
        checkpointing: "Checkpointing | None" = None, columns: InputColumns | None = None,
    ) -> Generator[Event, None, Self]:
        """The same as :meth:`fit`, as a generator of what happens: progress is an ordinary ``for`` around it.

        With ``checkpointing`` a run of steps can be stopped and gone on with; InterruptedRunError when it was stopped.
        ``columns`` are those that the texts stood in, by default those of a frame.
        """
        cost, deadline = cost_from_now(), time.monotonic() + seconds_of(self.budget)
        family = configured(self.family, DOCUMENT_FAMILIES)
        columns = input_columns(texts, targets) if columns is None else columns
        texts, targets, weights = counting_rows(check_documents(texts, columns.text), targets, sample_weight)
        head, encoded = self.head_for(targets)
        pretraining = pretraining_of(family, self.pretrain, unlabelled)
        yield Stage("reading words")
        everything = WithUnlabelled(texts, () if unlabelled is None else check_documents(unlabelled, columns.text))
        documents = READ[family.reads](family, everything)
        if everything.rows != len(encoded):
            raise UsageError(
                f"There are {everything.rows:,} texts but {len(encoded):,} targets; give one target a text."
            )
        weights = np.ones(len(encoded)) if weights is None else weights
        weights = weights * class_row_weights(self.class_weight, head, encoded)
        data = TrainingData(documents, encoded, weights / weights.mean())
        found = {
            "texts": fingerprint_of(texts), "targets": sha256_of(encoded.tobytes()),
            "weights": sha256_of(data.weights.tobytes()), "encoder": getattr(documents, "fingerprint", ""),
            "all texts": fingerprint_of(everything) if pretraining else "",
        }
        description = FitDescription(
            self.task, family, recipe_of(family) if self.training is None else self.training,
            seed_from(self.random_state), len(encoded), {name: each for name, each in found.items() if each}, head,
            stored_class_weight(self.class_weight), pretraining=pretraining,
            word_rule=WORD_RULE, processes=self.processes, budget=self.budget,
        )
        result = yield from LEARNERS[family.reads, family.learner](data, description, deadline, checkpointing)
        self.fit_report_ = report_of(result, documents.notes, head, encoded, cost())
        head = head.with_thresholds(result.held_out_logits, encoded[result.held_out])
        return self._hold(FittedDocuments(replace(description, head=head), result.model, columns))

    @abstractmethod
    def head_for(self, targets: Any) -> tuple[Head, np.ndarray]:
        """The head for such targets, and the targets as it encodes them."""

    def _hold(self, fitted: FittedDocuments) -> Self:
        self.fitted_, self.n_documents_in_ = fitted, fitted.description.rows
        return self

    @classmethod
    def from_fitted(cls, fitted: FittedDocuments) -> Self:
        """The estimator that holds a fitted model, such as one from a folder."""
        description = fitted.description
        estimator = cls(description.family, training=description.training, random_state=description.seed)
        if "class_weight" in estimator.get_params(deep=False):
            estimator.class_weight = description.class_weight
        return estimator._hold(fitted)

    def predict(self, texts: Iterable[str]) -> np.ndarray:
        """One answer a text, in the order given."""
        logits = self.decision_function(texts)
        return self._answers(self.fitted_.head.decide(logits))

    def _answers(self, decided: np.ndarray) -> np.ndarray:
        return decided

    def decision_function(self, texts: Iterable[str]) -> np.ndarray:
        """The head's logits, (N, K), before they become probabilities or numbers."""
        fitted = self.check_fitted()
        parts = [fitted.model.logits(part) for part in in_parts(texts, fitted.columns.text)]
        return np.concatenate(parts) if parts else np.zeros((0, fitted.head.size))

    def transform(self, texts: Iterable[str]) -> Any:
        """The features that the head sees, (N, D): sparse where they are counted; the encoder's where it is frozen.

        An array, or what :meth:`set_output` asks for.
        """
        model, columns = self.check_fitted().model, self.fitted_.columns.text
        parts = [model.features(part) for part in in_parts(texts, columns)] or [model.features([])]
        features = vstack(parts, format="csr") if isinstance(parts[0], csr_matrix) else np.concatenate(parts)
        return contained(self, features, texts)

    def coverage(self, texts: Iterable[str]) -> np.ndarray:
        """Tokens the model knows and tokens there are, for each text: (N, 2)."""
        fitted = self.check_fitted()
        parts = [fitted.model.coverage(part) for part in in_parts(texts, fitted.columns.text)]
        return np.concatenate(parts) if parts else np.zeros((0, 2), np.int64)

    def explain(self, text: str, answer: Any = None) -> Explanation:
        """What each token adds to the score of an answer, by default the one that is given.

        UsageError for a label there is not.
        """
        fitted = self.check_fitted()
        return explanation(fitted.model, answer_of(fitted.head, fitted.model.logits([text]), answer), text)

    def look(self, text: str, answer: Any = None, window: int = 1) -> "Look":
        """What the model does with a text: see :func:`scansion.look`, which sets several models side by side."""
        return look_at_documents([self.check_fitted()], text, answer, window)

    def save(self, folder: str | Path) -> None:
        """Write a model folder; see :func:`scansion.load`."""
        save_documents(self.check_fitted(), Path(folder))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments, and the family's options as ``family__OPTION``."""
        params = super().get_params()
        if deep:
            family = configured(self.family, DOCUMENT_FAMILIES)
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
                self.family = replace(configured(self.family, DOCUMENT_FAMILIES), **{inside: value})
        return self

    def check_fitted(self) -> FittedDocuments:
        """What was learned; NotFittedError if nothing was."""
        if not hasattr(self, "fitted_"):
            raise NotFittedError(f"This {type(self).__name__} has no model yet. Call fit(texts, targets) first.")
        return self.fitted_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.no_validation = True
        return tags
