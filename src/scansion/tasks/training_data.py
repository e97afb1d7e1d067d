"""What every kind of family is fitted to, and what a fit gives back."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scansion.models.document_models import DocumentModel


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
    untrained: str = ""
    """How far it came if the budget was spent before enough was read for a score; else empty."""
