"""Estimators to model folders and back; loading runs no code from the folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scansion.errors import UnsafeFolderError
from scansion.families.bert import Bert
from scansion.families.catalogue import FAMILIES, name_of
from scansion.families.pretrained import Pretrained
from scansion.heads.catalogue import HEADS, Head
from scansion.learning.convex import Linear
from scansion.learning.frozen import FrozenVectors
from scansion.learning.gradient import Training
from scansion.storage.folders import Folder, publish
from scansion.storage.limits import CONFIG, TOKENIZER, VOCABULARY, WEIGHTS
from scansion.storage.schema import from_json, to_json
from scansion.storage.strict_json import json_bytes
from scansion.storage.vocabulary import words_from_bytes, words_to_bytes
from scansion.tasks.borrowing import encoder_from
from scansion.tasks.fitting import restore_reader, restore_tuned
from scansion.tasks.models import CountedModel, FrozenModel, Model, ReadModel, TunedModel
from scansion.text.borrowed import BorrowedTokens
from scansion.text.pieces import PIECE_MARK
from scansion.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from scansion.tasks.documents import DocumentEstimator

Value = bool | int | float | str | None
Arrays = dict[str, np.ndarray]
LINEAR_WEIGHTS, LINEAR_BIAS, FAMILY_PREFIX, ENCODER_PREFIX = "head.weights", "head.bias", "family.", "encoder."


@dataclass(frozen=True)
class EncoderRecord:
    """What pretrained weights are of, and how they were used."""

    options: dict[str, Value] = field(default_factory=dict)
    mode: Literal["", "frozen", "fine-tuned"] = ""


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
    encoder: EncoderRecord = EncoderRecord()


def save_documents(estimator: "DocumentEstimator", folder: Path) -> None:
    """Write a fitted estimator in one step."""
    stored = _stored(estimator.model_)
    config = DocumentModel(
        task="regress" if estimator.head_.kind == "regression" else "classify",
        family=name_of(estimator.family_),
        options=to_json(_without_places(estimator.family_)),
        kind=estimator.head_.kind,
        head=to_json(estimator.head_),
        training=estimator.training_,
        class_weight=getattr(estimator, "class_weight", None),
        seed=estimator.seed_,
        documents=estimator.n_documents_in_,
        words=stored.words,
        strength=stored.strength,
        encoder=stored.encoder,
    )
    files = {CONFIG: json_bytes(to_json(config)), WEIGHTS: stored.tensors} | stored.tokens
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
    estimator.family_, estimator.head_, estimator.seed_ = family, head, config.seed
    estimator.n_documents_in_, estimator.data_fingerprint_ = config.documents, folder.manifest.data_fingerprint
    estimator.training_ = config.training
    restore = _restored_borrowed if isinstance(family, Pretrained) else _restored_from_words
    try:
        estimator.model_ = restore(folder, config, family, head, folder.tensors(WEIGHTS))
    except (KeyError, RuntimeError, ValueError) as error:
        raise UnsafeFolderError(f"{folder.where(WEIGHTS)} does not fit {CONFIG}: {error}") from error
    estimator._learned()
    return estimator


# Models to files


@dataclass(frozen=True)
class _Stored:
    tensors: Arrays
    tokens: dict[str, bytes]
    words: int = 0
    strength: float = 0.0
    encoder: EncoderRecord = EncoderRecord()


def _stored(model: Model) -> _Stored:
    return STORED[type(model)](model)


def _stored_counted(model: CountedModel) -> _Stored:
    words, arrays = model.family.state()
    tensors = _linear(model.linear) | {FAMILY_PREFIX + name: array for name, array in arrays.items()}
    return _Stored(tensors, {VOCABULARY: words_to_bytes(words)}, strength=model.linear.strength)


def _stored_read(model: ReadModel) -> _Stored:
    words, pieces = model.vocabulary.words, [PIECE_MARK + piece for piece in model.vocabulary.pieces]
    return _Stored(_arrays(model.reader), {VOCABULARY: words_to_bytes(words + pieces)}, len(words))


def _stored_frozen(model: FrozenModel) -> _Stored:
    encoder, family = model.family.encoder, model.family
    tensors = _linear(model.linear) | {ENCODER_PREFIX + name: each for name, each in _arrays(encoder.network).items()}
    tensors |= {f"{FAMILY_PREFIX}mean": family.mean, f"{FAMILY_PREFIX}deviation": family.deviation}
    record = EncoderRecord(to_json(encoder.network.configuration), "frozen")
    return _Stored(tensors, {TOKENIZER: model.tokens.description}, strength=model.linear.strength, encoder=record)


def _stored_tuned(model: TunedModel) -> _Stored:
    record = EncoderRecord(to_json(model.reader.network.configuration), "fine-tuned")
    return _Stored(_arrays(model.reader), {TOKENIZER: model.tokens.description}, encoder=record)


STORED: dict[type, Callable[[Any], _Stored]] = {
    CountedModel: _stored_counted, ReadModel: _stored_read, FrozenModel: _stored_frozen, TunedModel: _stored_tuned,
}


def _without_places(family: Any) -> Any:
    """A model folder holds no path: of a folder only its name is kept."""
    if isinstance(family, Pretrained) and Path(family.source).is_dir():
        return replace(family, source=Path(family.source).resolve().name)
    return family


def _linear(linear: Linear) -> Arrays:
    return {LINEAR_WEIGHTS: linear.weights, LINEAR_BIAS: linear.bias}


def _arrays(network: Any) -> Arrays:
    return {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}


# And back


def _restored_from_words(
    folder: Folder, config: DocumentModel, family: Any, head: Head, tensors: Arrays
) -> CountedModel | ReadModel:
    words = words_from_bytes(folder.bytes(VOCABULARY), folder.where(VOCABULARY))
    if family.learner == "convex":
        vectors = family.build().restore(words, _below(tensors, FAMILY_PREFIX))
        return CountedModel(vectors, _linear_of(tensors, config))
    pieces = [piece.removeprefix(PIECE_MARK) for piece in words[config.words :]]
    return restore_reader(family, head, tensors, Vocabulary(words[: config.words], pieces))


def _restored_borrowed(
    folder: Folder, config: DocumentModel, family: Pretrained, head: Head, tensors: Arrays
) -> FrozenModel | TunedModel:
    bert = from_json(Bert, config.encoder.options, folder.where(CONFIG))
    tokens = BorrowedTokens(folder.bytes(TOKENIZER), folder.where(TOKENIZER))
    if config.encoder.mode == "fine-tuned":
        return restore_tuned(bert, len(tensors["network.words.weight"]), head, tensors, tokens)
    vectors = FrozenVectors(encoder_from(bert, _below(tensors, ENCODER_PREFIX)))
    scale = _below(tensors, FAMILY_PREFIX)
    vectors.mean, vectors.deviation = scale["mean"], scale["deviation"]
    return FrozenModel(vectors, _linear_of(tensors, config), tokens)


def _below(tensors: Mapping[str, np.ndarray], prefix: str) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


def _linear_of(tensors: Arrays, config: DocumentModel) -> Linear:
    return Linear(tensors[LINEAR_WEIGHTS], tensors[LINEAR_BIAS], config.strength)
