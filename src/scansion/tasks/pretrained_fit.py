"""Fitting pretrained weights, frozen or fine-tuned."""

from collections.abc import Generator

from scansion.learning.checkpointing import Checkpointing
from scansion.learning.description import FitDescription
from scansion.learning.events import Event
from scansion.learning.frozen_encoder import FrozenVectors
from scansion.learning.linear_head import fit_linear
from scansion.models.network_models import FrozenEncoderModel
from scansion.models.pretrained_encoder import PretrainedDocuments, chosen_mode
from scansion.tasks.convex_fit import result_of
from scansion.tasks.gradient_fit import fit_fine_tuned
from scansion.tasks.training_data import FitResult, TrainingData


def fit_pretrained(
    data: TrainingData, description: FitDescription, deadline: float, checkpointing: Checkpointing | None
) -> Generator[Event, None, FitResult]:
    """Whichever of the two the family asks for or, if it asks for none, the data and the time allow."""
    mode, reason = chosen_mode(description.family, data.documents, deadline)
    if mode == "frozen":
        return _fit_frozen(data, description, deadline, reason)
    if data.documents.remarks:
        reason += "; its head sees the mean and the maximum of the tokens' vectors, whatever pooling is declared"
    return fit_fine_tuned(data, description, deadline, checkpointing, reason)


def _fit_frozen(
    data: TrainingData, description: FitDescription, deadline: float, reason: str
) -> Generator[Event, None, FitResult]:
    """A pretrained encoder as it is, under a linear head; ``reason`` says why it is frozen."""
    documents: PretrainedDocuments = data.documents
    vectors = FrozenVectors(documents.encoder())
    fitted = yield from fit_linear(
        vectors, description.head, documents.sequences, data.targets, data.weights, description.seed, deadline
    )
    model = FrozenEncoderModel(vectors, fitted.linear, documents.tokenizer)
    return result_of(model, fitted, (reason, *documents.remarks))
