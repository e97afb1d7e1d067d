"""Model folders of format version 1, whose fields and tensors had other names: as a folder of today would hold them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from scansion.errors import UnsafeFolderError, did_you_mean, shown
from scansion.storage.manifest import Manifest
from scansion.storage.schema import NAME, from_json

Options = dict[str, bool | int | float | str | None]
OPTIONS = {
    "longest": "max_length", "minimum_documents": "min_documents", "pieces": "char_ngrams", "pace": "lr_scale",
    "distances": "relative_positions", "hidden": "hidden_size",
}
OF_FAMILY = {"n-grams": {"longest": "order"}, "pretrained": {"pace": "encoder_lr_scale"}}
"""Where a family calls it something else."""
TRAINING = {
    "tokens": "max_tokens", "fewest_epochs": "min_epochs", "most_epochs": "max_epochs", "steps": "target_steps",
    "smallest_batch": "min_batch_tokens", "largest_batch": "max_batch_tokens", "warm_up": "warmup",
    "largest_gradient": "max_grad_norm", "averaged": "averaging_fraction", "held_out": "validation_fraction",
    "most_held_out": "max_validation_rows",
}
COUNTED = ("baseline", "bag-of-words", "n-grams")
TENSORS = (
    (r"^network\.", "encoder."), (r"^scores\.", "output."), (r"embedding\.pieces\.", "embedding.char_ngrams."),
    (r"distances\.classes\.", "relative_positions.buckets."),
)


@dataclass(frozen=True)
class EncoderRecord:
    """What pretrained weights were of, and how they were used."""

    options: Options = field(default_factory=dict)
    mode: Literal["", "frozen", "fine-tuned"] = ""


@dataclass(frozen=True)
class DocumentConfig1:
    """``config.json`` of a document model."""

    task: Literal["classify", "regress"]
    family: str
    options: Options
    kind: str
    head: dict[str, bool | int | float | str | tuple[bool | int | float | str | None, ...] | None]
    training: Options
    class_weight: str | None
    seed: int
    documents: int
    words: int
    strength: float
    encoder: EncoderRecord = EncoderRecord()


@dataclass(frozen=True)
class TranslationConfig1:
    """``config.json`` of a translator."""

    task: Literal["translate"]
    family: str
    options: Options
    training: Options
    most_pieces: int
    pieces: int
    seed: int
    pairs: int


def document_config(config: Any, manifest: Manifest, where: str) -> Any:
    """``config.json`` of a document model; UnsafeFolderError names ``where`` and the key at fault."""
    old = from_json(DocumentConfig1, config, where)
    head: dict[str, Any] = {name: list(each) if isinstance(each, tuple) else each for name, each in old.head.items()}
    kind = old.encoder.mode or ("counted" if old.family in COUNTED else "trained")
    found = {
        "fit": {
            **_fit(old, old.family, "training", old.documents, manifest, where),
            "head": _named(head, old.kind, where, "head"), "class_weight": old.class_weight,
        },
        "kind": kind, "words": old.words, "strength": old.strength,
    }
    if old.encoder.mode:
        found["encoder"] = _renamed(old.encoder.options, OPTIONS, where, "encoder.options")
    return found


def translation_config(config: Any, manifest: Manifest, where: str) -> Any:
    """``config.json`` of a translator; UnsafeFolderError names ``where`` and the key at fault."""
    old = from_json(TranslationConfig1, config, where)
    fit = _fit(old, f"{old.family} translation", "translation", old.pairs, manifest, where)
    return {"fit": {**fit, "vocab_size": old.most_pieces}, "subwords": old.pieces}


def document_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights of a document model by the names of today."""
    found = {}
    for name, array in tensors.items():
        for pattern, replacement in TENSORS:
            name = re.sub(pattern, replacement, name)
        found[name] = array
    return found


def _fit(
    old: DocumentConfig1 | TranslationConfig1, family: str, training: str, rows: int, manifest: Manifest, where: str
) -> dict[str, Any]:
    """The description of the fit."""
    options = _renamed(old.options, OPTIONS | OF_FAMILY.get(old.family, {}), where, "options")
    return {
        "task": old.task, "family": _named(options, family, where, "options"),
        "training": _named(_renamed(old.training, TRAINING, where, "training"), training, where, "training"),
        "seed": old.seed, "rows": rows, "fingerprints": {"texts": manifest.data_fingerprint},
    }


def _renamed(options: Mapping[str, Any], names: Mapping[str, str], where: str, key: str) -> dict[str, Any]:
    """The options by the names of today, which no file of version 1 holds."""
    for name in options:
        if name in names.values() and name not in names:
            raise UnsafeFolderError(f"{where}: unknown key {shown(f'{key}.{name}')}{did_you_mean(name, names)}")
    return {names.get(name, name): value for name, value in options.items()}


def _named(options: Mapping[str, Any], name: str, where: str, key: str) -> dict[str, Any]:
    if NAME in options:
        raise UnsafeFolderError(f"{where}: unknown key {shown(f'{key}.{NAME}')}.")
    return {NAME: name, **options}
