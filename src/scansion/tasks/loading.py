"""``scansion.load``: a model folder back to the estimator that wrote it."""

from pathlib import Path

from scansion.storage.folders import open_folder
from scansion.tasks.documents import DocumentClassifier, DocumentRegressor
from scansion.tasks.saving import restore_documents
from scansion.tasks.saving_translation import restore_translator
from scansion.tasks.translation import Translator

ESTIMATORS = {"classify": DocumentClassifier, "regress": DocumentRegressor}


def load(folder: str | Path) -> DocumentClassifier | DocumentRegressor | Translator:
    """The estimator in a model folder. Every byte is verified before any is used, and no code in it is run.

    StorageError or UnsafeFolderError names the file at fault.
    """
    found = open_folder(folder)
    if found.manifest.task == "translate":
        return restore_translator(found, Translator)
    return restore_documents(found, ESTIMATORS)
