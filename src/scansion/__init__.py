"""scansion: every family of text model, side by side, on your own documents."""

from importlib import import_module
from typing import Any

from scansion.errors import check_system

__version__ = "0.1.0"

_PUBLIC = {
    "DocumentClassifier": "scansion.tasks.classifier",
    "DocumentRegressor": "scansion.tasks.regressor",
    "Translator": "scansion.tasks.translator",
    "LanguageModel": "scansion.tasks.language_model",
    "load": "scansion.tasks.catalogue",
    "export": "scansion.tasks.catalogue",
    "look": "scansion.tasks.catalogue",
    "compare": "scansion.comparison.compare",
    "pretrain": "scansion.tasks.encoder",
    "DOCUMENT_FAMILIES": "scansion.families.catalogue",
    "TRANSLATION_FAMILIES": "scansion.families.catalogue",
    "LANGUAGE_FAMILIES": "scansion.families.catalogue",
    "Training": "scansion.learning.training",
    "TranslationTraining": "scansion.learning.training",
    "FineTuning": "scansion.learning.training",
    "Pretraining": "scansion.learning.training",
}
"""Where each public name is; the families' configurations are those of the catalogue."""
_ROOMS = ("claims",)
"""Rooms that are used by their name: ``scansion.claims.run("order")``."""


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first asked for, so that ``scansion --help`` never waits for torch."""
    if name in _PUBLIC:
        check_system()
        return getattr(import_module(_PUBLIC[name]), name)
    if name in _ROOMS:
        check_system()
        return import_module(f"scansion.{name}")
    if name.startswith("_") and name != "__all__":
        raise AttributeError(f"module 'scansion' has no attribute {name!r}")
    families = import_module("scansion.families.catalogue").public_families()
    if name == "__all__":
        return ["__version__", *_PUBLIC, *_ROOMS, *families]
    if name not in families:
        raise AttributeError(f"module 'scansion' has no attribute {name!r}")
    return families[name]


def __dir__() -> list[str]:
    return sorted(__getattr__("__all__"))
