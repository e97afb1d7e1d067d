"""A fitted language model as a model folder, and back; loading runs no code from the folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any

from numpy.typing import NDArray

from scansion.deferred import deferred
from scansion.errors import UnsafeFolderError
from scansion.families.catalogue import DECODERS
from scansion.layers.backoff_ngrams import BackoffNGrams
from scansion.learning.description import FitDescription
from scansion.models.fitted_language import FittedLanguage, NextTokenModel
from scansion.models.interpolation import Interpolation, parts_of
from scansion.storage.folders import Folder, publish
from scansion.storage.limits import CONFIG, TOKENIZER, VOCABULARY, WEIGHTS
from scansion.storage.schema import OneOf, from_json, to_json
from scansion.storage.strict_json import json_bytes
from scansion.storage.word_list import words_from_bytes, words_to_bytes
from scansion.text.columns import UNNAMED, InputColumns
from scansion.text.corpus import ENDS
from scansion.text.pretrained_units import PretrainedUnits
from scansion.text.subword_tokenizer import BEGIN, END
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
    network: Annotated[Any, OneOf(DECODERS, optional=True)] = None
    """What the family pretrained found in a folder."""
    begin: int = BEGIN
    end: int = END
    """The tokens around documents; those of folders that name none are the usual ones."""


def counted_restored(config: LanguageConfig, units: TextUnits, tensors: Mapping[str, NDArray]) -> NextTokenModel:
    """N-grams."""
    return BackoffNGrams.restore(len(units), BEGIN, tensors)


restored_network = deferred("scansion.models.neural_language", "restored_network")


def network_restored(config: LanguageConfig, units: TextUnits, tensors: Mapping[str, NDArray]) -> NextTokenModel:
    """A network, with which torch is imported."""
    if config.network is None:
        found: NextTokenModel = restored_network(config.fit.family, len(units), tensors)
        return found
    found = restored_network(config.network, len(units), tensors)
    return replace(found, begin=config.begin, end=config.end, never_written=())  # type: ignore[type-var]


def interpolated_restored(config: LanguageConfig, units: TextUnits, tensors: Mapping[str, NDArray]) -> NextTokenModel:
    """Both."""
    network, counted, weight = parts_of(tensors)
    return Interpolation(
        counted_restored(config, units, counted), restored_network(config.fit.family.network, len(units), network),
        weight,
    )


RESTORED: dict[str, Callable[[LanguageConfig, TextUnits, Mapping[str, NDArray]], Any]] = {
    "counted": counted_restored, "gradient": network_restored, "interpolated": interpolated_restored,
}
"""Models of each kind from their arrays; ``model.state()`` gives them."""


def save_language(fitted: FittedLanguage, folder: Path) -> None:
    """Write a fitted language model in one step."""
    units, description = fitted.units, fitted.description
    config = to_json(LanguageConfig(
        description, fitted.model.kind, units.name, units.begins, fitted.documents, fitted.columns,
        fitted.network, units.begin, units.end,
    ))
    tokens = {TOKENIZER: units.tokenizer_file} if units.tokenizer_file else {VOCABULARY: words_to_bytes(units.words())}
    files = {CONFIG: json_bytes(config), WEIGHTS: fitted.model.state(), **tokens}
    publish(folder, files, {
        "task": description.task, "family": description.title,
        "data_fingerprint": description.fingerprints.get("texts", ""),
    })


def load_language(folder: Folder) -> FittedLanguage:
    """The language model in a verified folder; UnsafeFolderError if its parts do not fit together."""
    config = from_json(LanguageConfig, folder.json(CONFIG), folder.where(CONFIG))
    tensors = folder.tensors(WEIGHTS)
    try:
        ENDS[config.documents]
        units = _units(folder, config)
        model = RESTORED[config.kind](config, units, tensors)
    except (KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        reason = shorten(str(error), LONGEST_REASON, placeholder=" …")
        raise UnsafeFolderError(f"{folder.path} does not hold a language model: {reason}.") from error
    return FittedLanguage(config.fit, units, model, config.documents, config.columns, config.network)


def _units(folder: Folder, config: LanguageConfig) -> TextUnits:
    if config.network is not None:
        return PretrainedUnits(folder.bytes(TOKENIZER), config.begins, config.begin, config.end)
    words = words_from_bytes(folder.bytes(VOCABULARY), folder.where(VOCABULARY))
    return restore_units(config.tokens, words, config.begins)
