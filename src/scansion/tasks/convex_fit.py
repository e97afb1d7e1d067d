"""Fitting where features are fixed, counted or a frozen encoder's, and a linear head is solved."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from scansion.learning.checkpointing import Checkpointing
from scansion.learning.description import FitDescription
from scansion.learning.events import Event
from scansion.learning.frozen_encoder import FrozenVectors
from scansion.learning.linear_head import FittedLinear, fit_linear
from scansion.models.document_models import DocumentModel, FrozenEncoderModel, SparseLinearModel
from scansion.models.pretrained_encoder import PretrainedDocuments
from scansion.text.word_tokenizer import Corpus


@dataclass(frozen=True)
class TrainingData:
    """Documents as the family reads them, ``targets`` as the head encodes them, and ``weights (N,)`` with mean 1.

    Documents behind the last target have no answer, and are for pretraining.
    """

    documents: Any
    targets: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class FitResult:
    """A model, the rows it held out with its logits for them, and what is worth saying."""

    model: DocumentModel
    held_out: np.ndarray
    held_out_logits: np.ndarray
    notes: tuple[str, ...]
    cut_short: bool
    workers: int = 0


def fit_counted(
    data: TrainingData, description: FitDescription, deadline: float, checkpointing: Checkpointing | None
) -> Generator[Event, None, FitResult]:
    """A counted family; nothing of it is kept on the way."""
    corpus: Corpus = data.documents
    vectors = description.family.build()
    fitted = yield from fit_linear(
        vectors, description.head, corpus, data.targets, data.weights, description.seed, deadline
    )
    return _result(SparseLinearModel(vectors, fitted.linear), fitted, ())


def fit_frozen(
    data: TrainingData, description: FitDescription, deadline: float, reason: str
) -> Generator[Event, None, FitResult]:
    """A pretrained encoder as it is, under a linear head; ``reason`` says why it is frozen."""
    documents: PretrainedDocuments = data.documents
    vectors = FrozenVectors(documents.encoder())
    fitted = yield from fit_linear(
        vectors, description.head, documents.sequences, data.targets, data.weights, description.seed, deadline
    )
    model = FrozenEncoderModel(vectors, fitted.linear, documents.tokenizer)
    return _result(model, fitted, (reason, *documents.remarks))


def _result(model: DocumentModel, fitted: FittedLinear, notes: tuple[str, ...]) -> FitResult:
    choice = fitted.choice
    if choice.held_out:
        notes = (*notes, f"strength of the linear head: {choice.strength:g} ({choice.reason})")
    return FitResult(model, choice.rows, choice.logits, notes, choice.cut_short)
