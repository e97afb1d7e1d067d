"""Model folders of format version 1, whose fields and tensors had other names: as a folder of today would hold them."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from scansion.storage.manifest import Manifest

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
KINDS = {"frozen": "frozen", "fine-tuned": "fine-tuned"}
COUNTED = ("baseline", "bag-of-words", "n-grams")
TENSORS = (
    (r"^network\.", "encoder."), (r"^scores\.", "output."), (r"embedding\.pieces\.", "embedding.char_ngrams."),
    (r"distances\.classes\.", "relative_positions.buckets."),
)


def document_config(config: Any, manifest: Manifest) -> Any:
    """``config.json`` of a document model; what is not of the expected shape is left for the schema to refuse."""
    if not isinstance(config, dict):
        return config
    config, family = dict(config), str(config.get("family"))
    encoder = config.pop("encoder", None) or {}
    mode = encoder.get("mode", "") if isinstance(encoder, dict) else ""
    kind = KINDS.get(mode, "counted" if family in COUNTED else "trained")
    found = {
        "fit": _fit(config, family, family, "training", "documents", manifest)
        | {"head": _named(config.pop("head", None), config.pop("kind", None)),
           "class_weight": config.pop("class_weight", None)},
        "kind": kind, "words": config.pop("words", 0), "strength": config.pop("strength", 0.0),
    }
    if mode:
        found["encoder"] = _renamed(encoder.get("options"), OPTIONS)
    return found | config  # a key that was never one of ours stays, and is refused


def translation_config(config: Any, manifest: Manifest) -> Any:
    """``config.json`` of a translator."""
    if not isinstance(config, dict):
        return config
    config, family = dict(config), str(config.get("family"))
    fit = _fit(config, family, f"{family} translation", "translation", "pairs", manifest)
    return {"fit": fit | {"vocab_size": config.pop("most_pieces", None)}, "subwords": config.pop("pieces", 0)} | config


def document_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights of a document model by the names of today."""
    found = {}
    for name, array in tensors.items():
        for pattern, replacement in TENSORS:
            name = re.sub(pattern, replacement, name)
        found[name] = array
    return found


def _fit(
    config: dict[str, Any], family: str, stored: str, training: str, rows: str, manifest: Manifest
) -> dict[str, Any]:
    """The description of the fit, taken out of a config."""
    config.pop("family", None)
    options = _renamed(config.pop("options", None), OPTIONS | OF_FAMILY.get(family, {}))
    return {
        "task": config.pop("task", None), "family": _named(options, stored),
        "training": _named(_renamed(config.pop("training", None), TRAINING), training),
        "seed": config.pop("seed", None), "rows": config.pop(rows, None),
        "fingerprints": {"texts": manifest.data_fingerprint},
    }


def _renamed(options: Any, names: Mapping[str, str]) -> Any:
    return {names.get(name, name): value for name, value in options.items()} if isinstance(options, dict) else options


def _named(options: Any, name: Any) -> Any:
    return {"name": name, **options} if isinstance(options, dict) else options
