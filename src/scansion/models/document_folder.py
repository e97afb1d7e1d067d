"""Fitted document models as model folders, and back; loading runs no code from the folder."""

from collections.abc import Callable
from pathlib import Path
from textwrap import shorten
from typing import Any

from scansion.deferred import deferred
from scansion.errors import UnsafeFolderError
from scansion.models.counted_folder import counted_restored, counted_stored
from scansion.models.document_config import Arrays, DocumentConfig, ModelFiles
from scansion.models.document_models import FittedDocuments
from scansion.models.format_1 import document_config, document_tensors
from scansion.storage.folders import Folder, publish
from scansion.storage.limits import CONFIG, WEIGHTS
from scansion.storage.schema import from_json, to_json
from scansion.storage.strict_json import json_bytes

LONGEST_REASON = 300

STORED: dict[str, Callable[[Any], ModelFiles]] = {
    "counted": counted_stored,
    "trained": deferred("scansion.models.network_folders", "trained_stored"),
    "frozen": deferred("scansion.models.network_folders", "frozen_stored"),
    "fine-tuned": deferred("scansion.models.network_folders", "fine_tuned_stored"),
}
"""A model of each kind as files."""

RESTORED: dict[str, Callable[[Folder, DocumentConfig, Arrays], Any]] = {
    "counted": counted_restored,
    "trained": deferred("scansion.models.network_folders", "trained_restored"),
    "frozen": deferred("scansion.models.network_folders", "frozen_restored"),
    "fine-tuned": deferred("scansion.models.network_folders", "fine_tuned_restored"),
}
"""And back; networks bring torch."""


def save_documents(fitted: FittedDocuments, folder: Path) -> None:
    """Write a fitted model in one step."""
    kind = fitted.model.kind
    stored = STORED[kind](fitted.model)
    description = fitted.description.without_paths()
    config = to_json(DocumentConfig(
        description, kind, stored.words, stored.strength, stored.encoder, stored.pooling, fitted.columns
    ))
    files = {CONFIG: json_bytes(config), WEIGHTS: stored.tensors} | stored.tokens
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
    return FittedDocuments(config.fit, model, config.columns)
