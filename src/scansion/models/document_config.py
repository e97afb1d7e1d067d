"""What the folder of a document model of any kind holds: its configuration, its arrays, its tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from scansion.families.catalogue import ENCODERS
from scansion.learning.description import FitDescription
from scansion.learning.linear import Linear
from scansion.models.document_models import Kind
from scansion.storage.schema import OneOf
from scansion.text.columns import UNNAMED, InputColumns

Arrays = dict[str, np.ndarray]
Encoder = Annotated[Any, OneOf(ENCODERS, optional=True, unnamed="bert")]

MEAN = ("mean",)
"""The pooling of folders that were written before others were read."""

LINEAR_WEIGHTS, LINEAR_BIAS, FAMILY_PREFIX, ENCODER_PREFIX = "head.weights", "head.bias", "family.", "encoder."


@dataclass(frozen=True)
class DocumentConfig:
    """``config.json`` of a document model: the fit, and what its weights are of."""

    fit: FitDescription
    kind: Kind
    words: int = 0
    """How many entries of the vocabulary are words; the others are character n-grams."""
    strength: float = 0.0
    """Of a linear head."""
    encoder: Encoder = None
    """Of a pretrained one."""
    pooling: tuple[str, ...] = MEAN
    """Of a frozen one, by the names of :data:`scansion.layers.pooling.POOLINGS`."""
    columns: InputColumns = UNNAMED
    """Where texts and answers stood; without names in folders that were written before they were kept."""


@dataclass(frozen=True)
class ModelFiles:
    """What a model is in files: its arrays, the file of its tokens, and its fields of ``config.json``."""

    tensors: Arrays
    tokens: dict[str, bytes]
    words: int = 0
    strength: float = 0.0
    encoder: Any = None
    pooling: tuple[str, ...] = MEAN


def arrays_of(linear: Linear) -> Arrays:
    """A linear head by the names of its arrays."""
    return {LINEAR_WEIGHTS: linear.weights, LINEAR_BIAS: linear.bias}


def linear_of(tensors: Arrays, config: DocumentConfig) -> Linear:
    """The inverse of :func:`arrays_of`."""
    return Linear(tensors[LINEAR_WEIGHTS], tensors[LINEAR_BIAS], config.strength)


def below(tensors: Mapping[str, np.ndarray], prefix: str) -> Arrays:
    """The arrays whose names begin with the prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
