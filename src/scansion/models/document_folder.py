"""Fitted document models as model folders, and back; loading runs no code from the folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any, Literal, cast

import numpy as np

from scansion.errors import UnsafeFolderError
from scansion.families.bert import Bert
from scansion.learning.description import FitDescription
from scansion.learning.frozen_encoder import FrozenVectors
from scansion.learning.solver import Linear
from scansion.models.document_models import (
    EncoderModel,
    FineTunedModel,
    FittedDocuments,
    FrozenEncoderModel,
    SparseLinearModel,
    fine_tuned_encoder,
    trained_encoder,
)
from scansion.models.format_1 import document_config, document_tensors
from scansion.models.pretrained_encoder import encoder_from
from scansion.storage.folders import Folder, publish
from scansion.storage.limits import CONFIG, TOKENIZER, VOCABULARY, WEIGHTS
from scansion.storage.schema import from_json, to_json
from scansion.storage.strict_json import json_bytes
from scansion.storage.word_list import words_from_bytes, words_to_bytes
from scansion.text.char_ngrams import CHAR_NGRAM_MARK
from scansion.text.pretrained_tokenizer import PretrainedTokenizer
from scansion.text.vocabulary import Vocabulary

Arrays = dict[str, np.ndarray]
LINEAR_WEIGHTS, LINEAR_BIAS, FAMILY_PREFIX, ENCODER_PREFIX = "head.weights", "head.bias", "family.", "encoder."
LONGEST_REASON = 300


@dataclass(frozen=True)
class DocumentConfig:
    """``config.json`` of a document model: the fit, and what its weights are of."""

    fit: FitDescription
    kind: Literal["counted", "trained", "frozen", "fine-tuned"]
    words: int = 0
    """How many entries of the vocabulary are words; the others are character n-grams."""
    strength: float = 0.0
    """Of a linear head."""
    encoder: Bert | None = None
    """Of a pretrained one."""
    pooling: tuple[str, ...] = ("mean",)
    """Of a frozen one, by the names of :data:`scansion.layers.pooling.POOLINGS`."""


def save_documents(fitted: FittedDocuments, folder: Path) -> None:
    """Write a fitted model in one step."""
    stored = STORED[type(fitted.model)](fitted.model)
    description = fitted.description.without_paths()
    config = DocumentConfig(description, stored.kind, stored.words, stored.strength, stored.encoder, stored.pooling)
    files = {CONFIG: json_bytes(to_json(config)), WEIGHTS: stored.tensors} | stored.tokens
    publish(folder, files, {
        "task": description.task, "family": description.title,
        "data_fingerprint": description.fingerprints.get("texts", ""),
    })


def load_documents(folder: Folder) -> FittedDocuments:
    """The fitted model in a verified folder; UnsafeFolderError if its parts do not fit together."""
    older = folder.manifest.format_version == 1
    where, json = folder.where(CONFIG), folder.json(CONFIG)
    config = from_json(DocumentConfig, document_config(json, folder.manifest, where) if older else json, where)
    tensors = document_tensors(folder.tensors(WEIGHTS)) if older else folder.tensors(WEIGHTS)
    try:
        model = RESTORED[config.kind](folder, config, tensors)
    except (KeyError, RuntimeError, ValueError, AttributeError) as error:
        reason = shorten(str(error), LONGEST_REASON, placeholder=" …")
        raise UnsafeFolderError(f"{folder.where(WEIGHTS)} does not fit {CONFIG}: {reason}.") from error
    return FittedDocuments(config.fit, model)


# Models to files


@dataclass(frozen=True)
class _Stored:
    kind: Literal["counted", "trained", "frozen", "fine-tuned"]
    tensors: Arrays
    tokens: dict[str, bytes]
    words: int = 0
    strength: float = 0.0
    encoder: Bert | None = None
    pooling: tuple[str, ...] = ("mean",)


def _stored_counted(model: SparseLinearModel) -> _Stored:
    words, arrays = model.vectors.state()
    tensors = _linear(model.linear) | {FAMILY_PREFIX + name: array for name, array in arrays.items()}
    return _Stored("counted", tensors, {VOCABULARY: words_to_bytes(words)}, strength=model.linear.strength)


def _stored_trained(model: EncoderModel) -> _Stored:
    words, ngrams = model.vocabulary.words, [CHAR_NGRAM_MARK + each for each in model.vocabulary.char_ngrams]
    return _Stored("trained", _arrays(model.network), {VOCABULARY: words_to_bytes(words + ngrams)}, len(words))


def _stored_frozen(model: FrozenEncoderModel) -> _Stored:
    encoder, vectors = model.vectors.encoder, model.vectors
    tensors = _linear(model.linear) | {ENCODER_PREFIX + name: each for name, each in _arrays(encoder.network).items()}
    tensors |= {f"{FAMILY_PREFIX}mean": vectors.mean, f"{FAMILY_PREFIX}deviation": vectors.deviation}
    tokens = {TOKENIZER: model.tokenizer.description}
    return _Stored(
        "frozen", tensors, tokens, strength=model.linear.strength, encoder=cast(Bert, encoder.network.configuration),
        pooling=encoder.pooling,
    )


def _stored_fine_tuned(model: FineTunedModel) -> _Stored:
    tokens = {TOKENIZER: model.tokenizer.description}
    return _Stored("fine-tuned", _arrays(model.network), tokens, encoder=model.network.encoder.configuration)


STORED: dict[type, Callable[[Any], _Stored]] = {
    SparseLinearModel: _stored_counted, EncoderModel: _stored_trained, FrozenEncoderModel: _stored_frozen,
    FineTunedModel: _stored_fine_tuned,
}


def _linear(linear: Linear) -> Arrays:
    return {LINEAR_WEIGHTS: linear.weights, LINEAR_BIAS: linear.bias}


def _arrays(network: Any) -> Arrays:
    return {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}


# And back


def _counted(folder: Folder, config: DocumentConfig, tensors: Arrays) -> SparseLinearModel:
    words = words_from_bytes(folder.bytes(VOCABULARY), folder.where(VOCABULARY))
    vectors = config.fit.family.build().restore(words, _below(tensors, FAMILY_PREFIX))
    return SparseLinearModel(vectors, _linear_of(tensors, config))


def _trained(folder: Folder, config: DocumentConfig, tensors: Arrays) -> EncoderModel:
    words = words_from_bytes(folder.bytes(VOCABULARY), folder.where(VOCABULARY))
    ngrams = [ngram.removeprefix(CHAR_NGRAM_MARK) for ngram in words[config.words :]]
    return trained_encoder(config.fit.family, config.fit.head, tensors, Vocabulary(words[: config.words], ngrams))


def _frozen(folder: Folder, config: DocumentConfig, tensors: Arrays) -> FrozenEncoderModel:
    weights = _below(tensors, ENCODER_PREFIX)
    vectors = FrozenVectors(encoder_from(_encoder(folder, config), weights, config.pooling))
    scale = _below(tensors, FAMILY_PREFIX)
    vectors.mean, vectors.deviation = scale["mean"], scale["deviation"]
    return FrozenEncoderModel(vectors, _linear_of(tensors, config), _tokenizer(folder))


def _fine_tuned(folder: Folder, config: DocumentConfig, tensors: Arrays) -> FineTunedModel:
    words = len(tensors["encoder.words.weight"])
    return fine_tuned_encoder(_encoder(folder, config), words, config.fit.head, tensors, _tokenizer(folder))


RESTORED: dict[str, Callable[[Folder, DocumentConfig, Arrays], Any]] = {
    "counted": _counted, "trained": _trained, "frozen": _frozen, "fine-tuned": _fine_tuned,
}


def _encoder(folder: Folder, config: DocumentConfig) -> Bert:
    if config.encoder is None:
        raise UnsafeFolderError(f"{folder.where(CONFIG)}: a {config.kind} encoder needs its sizes, under 'encoder'.")
    return config.encoder


def _tokenizer(folder: Folder) -> PretrainedTokenizer:
    return PretrainedTokenizer(folder.bytes(TOKENIZER), folder.where(TOKENIZER))


def _below(tensors: Mapping[str, np.ndarray], prefix: str) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


def _linear_of(tensors: Arrays, config: DocumentConfig) -> Linear:
    return Linear(tensors[LINEAR_WEIGHTS], tensors[LINEAR_BIAS], config.strength)
