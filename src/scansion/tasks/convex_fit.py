"""Fitting where features are counted, and a linear head is solved."""

from collections.abc import Generator
from typing import TYPE_CHECKING

from scansion.deferred import deferred
from scansion.families.static import AUTO, NONE
from scansion.learning.description import FitDescription
from scansion.learning.events import Event
from scansion.learning.linear_head import fit_linear
from scansion.learning.static_choice import fit_beside_static
from scansion.learning.strengths import FittedLinear
from scansion.models.document_models import DocumentModel, SparseLinearModel
from scansion.storage.pretrained_source import default_at_hand
from scansion.tasks.training_data import FitResult, TrainingData
from scansion.text.word_tokenizer import Corpus

if TYPE_CHECKING:
    from scansion.learning.checkpointing import Checkpointing

static_table = deferred("scansion.models.static_vectors", "static_table")


def fit_counted(
    data: TrainingData, description: FitDescription, deadline: float, checkpointing: "Checkpointing | None"
) -> Generator[Event, None, FitResult]:
    """A counted family; nothing of it is kept on the way."""
    corpus: Corpus = data.documents
    given = (description.head, corpus, data.targets, data.weights, description.seed, deadline)
    wanted = _static_of(description)
    distilled = None if wanted == NONE else (yield from static_table(wanted, deadline))
    if distilled is None or distilled.table is None:
        vectors = description.family.build()
        fitted = yield from fit_linear(vectors, *given)
        remarks = () if distilled is None else distilled.remarks
        return result_of(SparseLinearModel(vectors, fitted.linear), fitted, remarks)
    beside = description.family.build(distilled.table)
    vectors, fitted, reason = yield from fit_beside_static(beside, *given)
    remark = f"static vectors of {distilled.name} {reason}"
    return result_of(SparseLinearModel(vectors, fitted.linear), fitted, (remark,))


def _static_of(description: FitDescription) -> str:
    """Whose static vectors stand beside the counts; of none, torch, which reads the encoder, is not imported."""
    wanted: str = description.family.static
    by_itself = description.head.static_by_default and default_at_hand()
    return NONE if wanted == AUTO and not by_itself else wanted


def fit_static(
    data: TrainingData, description: FitDescription, deadline: float, checkpointing: "Checkpointing | None"
) -> Generator[Event, None, FitResult]:
    """Static vectors alone."""
    distilled = yield from static_table(description.family.source, float("inf"))
    vectors = description.family.build(distilled.table)
    fitted = yield from fit_linear(
        vectors, description.head, data.documents, data.targets, data.weights, description.seed, deadline
    )
    return result_of(SparseLinearModel(vectors, fitted.linear), fitted, (f"static vectors of {distilled.name}",))


def result_of(model: DocumentModel, fitted: FittedLinear, notes: tuple[str, ...]) -> FitResult:
    """What has come of it; ``notes`` are on how its vectors were made."""
    choice = fitted.choice
    if choice.held_out:
        notes = (*notes, f"strength of the linear head: {choice.strength:g} ({choice.reason})")
    return FitResult(model, choice.rows, choice.logits, notes, choice.cut_short)
