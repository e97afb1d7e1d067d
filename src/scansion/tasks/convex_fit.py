"""Fitting where features are counted, and a linear head is solved."""

from collections.abc import Generator
from typing import TYPE_CHECKING

from scansion.learning.description import FitDescription
from scansion.learning.events import Event
from scansion.learning.linear_head import fit_linear
from scansion.learning.strengths import FittedLinear
from scansion.models.document_models import DocumentModel, SparseLinearModel
from scansion.tasks.training_data import FitResult, TrainingData
from scansion.text.word_tokenizer import Corpus

if TYPE_CHECKING:
    from scansion.learning.checkpointing import Checkpointing


def fit_counted(
    data: TrainingData, description: FitDescription, deadline: float, checkpointing: "Checkpointing | None"
) -> Generator[Event, None, FitResult]:
    """A counted family; nothing of it is kept on the way."""
    corpus: Corpus = data.documents
    vectors = description.family.build()
    fitted = yield from fit_linear(
        vectors, description.head, corpus, data.targets, data.weights, description.seed, deadline
    )
    return result_of(SparseLinearModel(vectors, fitted.linear), fitted, ())


def result_of(model: DocumentModel, fitted: FittedLinear, notes: tuple[str, ...]) -> FitResult:
    """What has come of it; ``notes`` are on how its vectors were made."""
    choice = fitted.choice
    if choice.held_out:
        notes = (*notes, f"strength of the linear head: {choice.strength:g} ({choice.reason})")
    return FitResult(model, choice.rows, choice.logits, notes, choice.cut_short)
