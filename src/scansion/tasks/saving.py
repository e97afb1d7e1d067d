"""Estimators to model folders and back; loading runs no code from the folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scansion.errors import UnsafeFolderError
from scansion.families.catalogue import FAMILIES, name_of
from scansion.heads.catalogue import HEADS
from scansion.learning.convex import Linear
from scansion.learning.gradient import Training
from scansion.storage.folders import Folder, publish
from scansion.storage.limits import CONFIG, VOCABULARY, WEIGHTS
from scansion.storage.schema import from_json, to_json
from scansion.storage.strict_json import json_bytes
from scansion.storage.vocabulary import words_from_bytes, words_to_bytes
from scansion.tasks.fitting import CountedModel, ReadModel, restore_reader
from scansion.text.pieces import PIECE_MARK
from scansion.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from scansion.tasks.documents import DocumentEstimator

Value = bool | int | float | str | None
LINEAR_WEIGHTS, LINEAR_BIAS, FAMILY_PREFIX = "head.weights", "head.bias", "family."


@dataclass(frozen=True)
class DocumentModel:
    """``config.json`` of a document model."""

    task: Literal["classify", "regress"]
    family: str
    options: dict[str, Value]
    kind: Literal["multiclass", "multilabel", "regression"]
    head: dict[str, Value | tuple[Value, ...]]
    training: Training
    class_weight: str | None
    seed: int
    documents: int
    words: int
    """How many entries of the vocabulary are words; the others are pieces."""
    strength: float


def save_documents(estimator: "DocumentEstimator", folder: Path) -> None:
    """Write a fitted estimator in one step."""
    model = estimator.model_
    config = DocumentModel(
        task="regress" if estimator.head_.kind == "regression" else "classify",
        family=name_of(estimator.family_),
        options=to_json(estimator.family_),
        kind=estimator.head_.kind,
        head=to_json(estimator.head_),
        training=estimator.training,
        class_weight=getattr(estimator, "class_weight", None),
        seed=estimator.seed_,
        documents=estimator.n_documents_in_,
        words=len(model.vocabulary.words) if isinstance(model, ReadModel) else 0,
        strength=model.linear.strength if isinstance(model, CountedModel) else 0.0,
    )
    words, tensors = _state(model)
    files = {CONFIG: json_bytes(to_json(config)), VOCABULARY: words_to_bytes(words), WEIGHTS: tensors}
    described = {"task": config.task, "family": config.family, "data_fingerprint": estimator.data_fingerprint_}
    publish(folder, files, described)


def restore_documents(folder: Folder, estimators: dict[str, type]) -> Any:
    """The estimator in a verified folder; ``estimators`` gives the class for each task."""
    config = from_json(DocumentModel, folder.json(CONFIG), folder.where(CONFIG))
    if config.family not in FAMILIES:
        raise UnsafeFolderError(f"{folder.where(CONFIG)}: there is no family {config.family!r} in this version.")
    family = from_json(FAMILIES[config.family], config.options, folder.where(CONFIG))
    head = from_json(HEADS[config.kind], {k: list(v) if isinstance(v, tuple) else v for k, v in config.head.items()},
                     folder.where(CONFIG))
    estimator = estimators[config.task](family, training=config.training, random_state=config.seed)
    if config.task == "classify":
        estimator.class_weight = config.class_weight
    words = words_from_bytes(folder.bytes(VOCABULARY), folder.where(VOCABULARY))
    tensors = folder.tensors(WEIGHTS)
    estimator.family_, estimator.head_, estimator.seed_ = family, head, config.seed
    estimator.n_documents_in_, estimator.data_fingerprint_ = config.documents, folder.manifest.data_fingerprint
    try:
        if family.learner == "convex":
            estimator.model_ = _restore_counted(family, words, tensors, config.strength)
        else:
            pieces = [piece.removeprefix(PIECE_MARK) for piece in words[config.words :]]
            vocabulary = Vocabulary(words[: config.words], pieces)
            estimator.model_ = restore_reader(family, head, tensors, vocabulary)
    except (KeyError, RuntimeError, ValueError) as error:
        raise UnsafeFolderError(f"{folder.where(WEIGHTS)} does not fit {CONFIG}: {error}") from error
    estimator._learned()
    return estimator


def _state(model: CountedModel | ReadModel) -> tuple[list[str], dict[str, np.ndarray]]:
    if isinstance(model, ReadModel):
        words = model.vocabulary.words + [PIECE_MARK + piece for piece in model.vocabulary.pieces]
        return words, {k: v.detach().numpy() for k, v in model.reader.state_dict().items()}
    words, arrays = model.family.state()
    linear = {LINEAR_WEIGHTS: model.linear.weights, LINEAR_BIAS: model.linear.bias}
    return words, {**linear, **{FAMILY_PREFIX + name: array for name, array in arrays.items()}}


def _restore_counted(family: Any, words: list[str], tensors: dict[str, np.ndarray], strength: float) -> CountedModel:
    arrays = {name.removeprefix(FAMILY_PREFIX): a for name, a in tensors.items() if name.startswith(FAMILY_PREFIX)}
    vectors = family.build().restore(words, arrays)
    linear = Linear(tensors[LINEAR_WEIGHTS], tensors[LINEAR_BIAS], strength)
    return CountedModel(vectors, linear)
