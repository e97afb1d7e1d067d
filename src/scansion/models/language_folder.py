"""A fitted language model as a model folder, and back; loading runs no code from the folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

from numpy.typing import NDArray

from scansion.deferred import deferred
from scansion.errors import UnsafeFolderError
from scansion.layers.backoff_ngrams import BackoffNGrams
from scansion.learning.description import FitDescription
from scansion.models.fitted_language import FittedLanguage, NextTokenModel
from scansion.storage.folders import Folder, publish
from scansion.storage.limits import CONFIG, VOCABULARY, WEIGHTS
from scansion.storage.schema import from_json, to_json
from scansion.storage.strict_json import json_bytes
from scansion.storage.word_list import words_from_bytes, words_to_bytes
from scansion.text.columns import UNNAMED, InputColumns
from scansion.text.corpus import ENDS
from scansion.text.subword_tokenizer import BEGIN
from scansion.text.text_units import TextUnits, restore_units

LONGEST_REASON = 300


@dataclass(frozen=True)
class LanguageConfig:
    """``config.json`` of a language model."""

    fit: FitDescription
    kind: str
    tokens: str
    """The name of its units."""
    begins: int
    """How many entries of the vocabulary are tokens; the others are merges."""
    documents: str
    """What a document was."""
    columns: InputColumns = UNNAMED


def counted_restored(config: LanguageConfig, units: TextUnits, tensors: Mapping[str, NDArray]) -> NextTokenModel:
    """N-grams."""
    return BackoffNGrams.restore(len(units), BEGIN, tensors)


restored_network = deferred("scansion.models.neural_language", "restored_network")


def network_restored(config: LanguageConfig, units: TextUnits, tensors: Mapping[str, NDArray]) -> NextTokenModel:
    """A network, with which torch is imported."""
    found: NextTokenModel = restored_network(config.fit.family, len(units), tensors)
    return found


RESTORED: dict[str, Callable[[LanguageConfig, TextUnits, Mapping[str, NDArray]], Any]] = {
    "counted": counted_restored, "gradient": network_restored,
}
"""Models of each kind from their arrays; ``model.state()`` gives them."""


def save_language(fitted: FittedLanguage, folder: Path) -> None:
    """Write a fitted language model in one step."""
    units, description = fitted.units, fitted.description
    config = to_json(LanguageConfig(
        description, fitted.model.kind, units.name, units.begins, fitted.documents, fitted.columns
    ))
    files = {
        CONFIG: json_bytes(config), VOCABULARY: words_to_bytes(units.words()), WEIGHTS: fitted.model.state(),
    }
    publish(folder, files, {
        "task": description.task, "family": description.title,
        "data_fingerprint": description.fingerprints.get("texts", ""),
    })


def load_language(folder: Folder) -> FittedLanguage:
    """The language model in a verified folder; UnsafeFolderError if its parts do not fit together."""
    config = from_json(LanguageConfig, folder.json(CONFIG), folder.where(CONFIG))
    words = words_from_bytes(folder.bytes(VOCABULARY), folder.where(VOCABULARY))
    tensors = folder.tensors(WEIGHTS)
    try:
        ENDS[config.documents]
        units = restore_units(config.tokens, words, config.begins)
        model = RESTORED[config.kind](config, units, tensors)
    except (KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        reason = shorten(str(error), LONGEST_REASON, placeholder=" …")
        raise UnsafeFolderError(f"{folder.path} does not hold a language model: {reason}.") from error
    return FittedLanguage(config.fit, units, model, config.documents, config.columns)
