"""The Hugging Face layout of a pretrained model: a folder with config.json, model.safetensors and tokenizer.json.

Older folders have a vocabulary in place of tokenizer.json, large ones several files of weights, those of
sentence-transformers a modules.json.  Nothing else is read: no code, no pickle, whatever else lies beside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scansion.errors import StorageError
from scansion.storage.atomic import only_over, put_folder
from scansion.storage.foreign_folder import ForeignFolder
from scansion.storage.limits import CONFIG, MOST_FILE_BYTES, TOKENIZER
from scansion.storage.sentence_modules import MODULES, OF_ENCODER, OF_MODEL, SentenceModules, read_modules
from scansion.storage.strict_json import check_shape, json_bytes
from scansion.storage.tensors import tensors_to_bytes
from scansion.storage.weight_files import INDEX, MODEL, SUFFIX, Weights, read_weights

FILES = (CONFIG, MODEL, TOKENIZER)
"""What a folder has at least, and all that is written."""
VOCABULARIES = ("vocab.txt", "vocab.json", "merges.txt")
"""Of tokenizers, where there is no tokenizer.json."""
TOKENIZER_SETTINGS = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
PATTERNS = (
    *FILES, *VOCABULARIES, *TOKENIZER_SETTINGS, INDEX, f"model-*-of-*{SUFFIX}", MODULES, OF_MODEL, *OF_ENCODER,
    f"[0-9]_*/{CONFIG}",
)
"""Every file that is read, as patterns of names on the hub."""


@dataclass(frozen=True)
class Layout:
    """What a folder holds."""

    where: str
    config: Mapping[str, Any]
    tensors: Weights
    tokenizer: Mapping[str, bytes]
    """tokenizer.json, or else what there is of vocabularies, by name."""
    tokenizer_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What else is said of the tokenizer, by the file that says it."""
    modules: SentenceModules | None = None
    """What sentence-transformers is told, if it is told anything."""


def read_layout(path: Path) -> Layout:
    """StorageError or UnsafeFolderError names what is missing or wrong."""
    if not path.is_dir():
        raise StorageError(f"There is no folder {path}. Give one in the Hugging Face layout: {', '.join(FILES)}.")
    folder, modules = read_modules(ForeignFolder(path))
    if not folder.has(CONFIG):
        raise StorageError(f"{folder.path} has no {CONFIG}. A pretrained model has {', '.join(FILES)}.")
    config, tokenizer = folder.settings(CONFIG), _tokenizer(folder)
    settings = {name: folder.settings(name) for name in TOKENIZER_SETTINGS}
    return Layout(str(folder.path), config, read_weights(folder), tokenizer, settings, modules)


def write_layout(
    folder: Path, config: Mapping[str, Any], tensors: Mapping[str, np.ndarray], tokenizer: bytes,
    tokenizer_settings: bytes = b"",
) -> None:
    """A folder that :func:`read_layout` and others read; an older one of the same files is replaced."""
    contents = {CONFIG: json_bytes(dict(config)), MODEL: tensors_to_bytes(tensors), TOKENIZER: tokenizer}
    contents |= {TOKENIZER_SETTINGS[0]: tokenizer_settings} if tokenizer_settings else {}
    put_folder(folder, contents, only_over((*FILES, TOKENIZER_SETTINGS[0])))


def _tokenizer(folder: ForeignFolder) -> dict[str, bytes]:
    names = [TOKENIZER] if folder.has(TOKENIZER) else [name for name in VOCABULARIES if folder.has(name)]
    if names:
        contents = {name: folder.bytes(name, MOST_FILE_BYTES[TOKENIZER]) for name in names}
        for name in (each for each in names if each.endswith(".json")):
            check_shape(contents[name], folder.where(name))
        return contents
    pieces = sorted(each.name for each in folder.path.glob("*.model"))
    held = f"; its tokenizer is in {pieces[0]}, which is not read" if pieces else ""
    raise StorageError(
        f"{folder.path} has no {TOKENIZER}{held}. Make one: "
        "transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(folder)."
    )
