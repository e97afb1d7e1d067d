"""``scansion.load``: a model folder back to the estimator that wrote it."""

from pathlib import Path

from scansion.storage.folders import open_folder
from scansion.tasks.documents import DocumentClassifier, DocumentRegressor
from scansion.tasks.saving import restore_documents

ESTIMATORS = {"classify": DocumentClassifier, "regress": DocumentRegressor}


def load(folder: str | Path) -> DocumentClassifier | DocumentRegressor:
    """The estimator in a model folder. Every byte is verified before any is used, and no code in it is run.

    StorageError or UnsafeFolderError names the file at fault.
    """
    return restore_documents(open_folder(folder), ESTIMATORS)
