"""A fitted translator as a model folder, and back."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

from scansion.errors import UnsafeFolderError
from scansion.learning.description import FitDescription
from scansion.learning.seq2seq import build_seq2seq, with_weights
from scansion.models.format_1 import translation_config
from scansion.models.translation_model import FittedTranslator
from scansion.storage.folders import Folder, publish
from scansion.storage.limits import CONFIG, VOCABULARY, WEIGHTS
from scansion.storage.schema import from_json, to_json
from scansion.storage.strict_json import json_bytes
from scansion.storage.word_list import words_from_bytes, words_to_bytes
from scansion.text.subword_tokenizer import SubwordTokenizer

LONGEST_REASON = 300


@dataclass(frozen=True)
class TranslationConfig:
    """``config.json`` of a translator."""

    fit: FitDescription
    subwords: int
    """How many entries of the vocabulary are subwords; the others are merges."""


def save_translator(fitted: FittedTranslator, folder: Path) -> None:
    """Write a fitted translator in one step."""
    tokenizer, description = fitted.tokenizer, fitted.description
    config = TranslationConfig(description, len(tokenizer))
    tensors = {name: tensor.detach().numpy() for name, tensor in fitted.model.state_dict().items()}
    words = words_to_bytes(tokenizer.words_and_merges())
    files = {CONFIG: json_bytes(to_json(config)), VOCABULARY: words, WEIGHTS: tensors}
    publish(folder, files, {
        "task": description.task, "family": description.title,
        "data_fingerprint": description.fingerprints.get("texts", ""),
    })


def load_translator(folder: Folder) -> FittedTranslator:
    """The translator in a verified folder; UnsafeFolderError if its parts do not fit together."""
    older = folder.manifest.format_version == 1
    where, json = folder.where(CONFIG), folder.json(CONFIG)
    config = from_json(TranslationConfig, translation_config(json, folder.manifest, where) if older else json, where)
    words = words_from_bytes(folder.bytes(VOCABULARY), folder.where(VOCABULARY))
    try:
        tokenizer = SubwordTokenizer.from_words(words, config.subwords)
    except ValueError as error:
        raise UnsafeFolderError(f"{folder.where(VOCABULARY)} does not fit {CONFIG}.") from error
    try:
        tokenizer.encode([""])
        fit = config.fit
        model = build_seq2seq(fit.family, len(tokenizer), fit.training.label_smoothing, fit.seed)
        return FittedTranslator(fit, with_weights(model, folder.tensors(WEIGHTS)), tokenizer)
    except (KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        reason = shorten(str(error), LONGEST_REASON, placeholder=" …")
        raise UnsafeFolderError(f"{folder.where(WEIGHTS)} does not fit {CONFIG}: {reason}.") from error
