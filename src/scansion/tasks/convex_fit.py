"""Fitting where features are fixed, counted or a frozen encoder's, and a linear head is solved."""

from collections.abc import Generator

from scansion.learning.checkpointing import Checkpointing
from scansion.learning.description import FitDescription
from scansion.learning.events import Event
from scansion.learning.frozen_encoder import FrozenVectors
from scansion.learning.linear_head import FittedLinear, fit_linear
from scansion.learning.static_choice import fit_beside_static
from scansion.models.document_models import DocumentModel, SparseLinearModel
from scansion.models.network_models import FrozenEncoderModel
from scansion.models.pretrained_encoder import PretrainedDocuments
from scansion.models.static_vectors import static_table
from scansion.tasks.training_data import FitResult, TrainingData
from scansion.text.word_tokenizer import Corpus


def fit_counted(
    data: TrainingData, description: FitDescription, deadline: float, checkpointing: Checkpointing | None
) -> Generator[Event, None, FitResult]:
    """A counted family; nothing of it is kept on the way."""
    corpus: Corpus = data.documents
    given = (description.head, corpus, data.targets, data.weights, description.seed, deadline)
    distilled = yield from static_table(description.family.static, deadline)
    if distilled.table is None:
        vectors = description.family.build()
        fitted = yield from fit_linear(vectors, *given)
        return _result(SparseLinearModel(vectors, fitted.linear), fitted, distilled.remarks)
    beside = description.family.build(distilled.table)
    vectors, fitted, reason = yield from fit_beside_static(beside, *given)
    remark = f"static vectors of {distilled.name} {reason}"
    return _result(SparseLinearModel(vectors, fitted.linear), fitted, (remark,))


def fit_static(
    data: TrainingData, description: FitDescription, deadline: float, checkpointing: Checkpointing | None
) -> Generator[Event, None, FitResult]:
    """Static vectors alone."""
    distilled = yield from static_table(description.family.source, float("inf"))
    vectors = description.family.build(distilled.table)
    fitted = yield from fit_linear(
        vectors, description.head, data.documents, data.targets, data.weights, description.seed, deadline
    )
    remark = f"static vectors of {distilled.name}"
    return _result(SparseLinearModel(vectors, fitted.linear), fitted, (remark,))


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
