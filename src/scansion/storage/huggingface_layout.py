"""The Hugging Face layout of a pretrained model: a folder with config.json, model.safetensors and tokenizer.json.

Only these three are read: no code, no pickle, whatever else lies beside them.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scansion.errors import StorageError, UnsafeFolderError
from scansion.storage.atomic import put_folder
from scansion.storage.limits import CONFIG, MOST_FILE_BYTES, TOKENIZER, WEIGHTS
from scansion.storage.strict_json import json_bytes, parse_json
from scansion.storage.tensors import tensors_from_bytes, tensors_to_bytes

MODEL = "model.safetensors"
FILES = {CONFIG: MOST_FILE_BYTES[CONFIG], MODEL: MOST_FILE_BYTES[WEIGHTS], TOKENIZER: MOST_FILE_BYTES[TOKENIZER]}
PICKLED = "pytorch_model.bin"


@dataclass(frozen=True)
class Layout:
    """What a folder holds."""

    where: str
    config: Mapping[str, Any]
    tensors: Mapping[str, np.ndarray]
    tokenizer: bytes


def read_layout(folder: Path) -> Layout:
    """StorageError or UnsafeFolderError names what is missing or wrong."""
    if not folder.is_dir():
        raise StorageError(f"There is no folder {folder}. Give one in the Hugging Face layout: {', '.join(FILES)}.")
    contents = {name: _read(folder, name, most) for name, most in FILES.items()}
    config = parse_json(contents[CONFIG], str(folder / CONFIG))
    if not isinstance(config, dict):
        raise UnsafeFolderError(f"{folder / CONFIG} must be one JSON object.")
    tensors = tensors_from_bytes(contents[MODEL], str(folder / MODEL), foreign=True)
    return Layout(str(folder), config, tensors, contents[TOKENIZER])


def write_layout(
    folder: Path, config: Mapping[str, Any], tensors: Mapping[str, np.ndarray], tokenizer: bytes
) -> None:
    """A folder that :func:`read_layout` and others read; an older one of the same files is replaced."""
    contents = {CONFIG: json_bytes(dict(config)), MODEL: tensors_to_bytes(tensors), TOKENIZER: tokenizer}
    put_folder(folder, contents, _check_replaceable)


def _check_replaceable(folder: Path) -> None:
    foreign = sorted(set(os.listdir(folder)) - set(FILES)) if folder.is_dir() else [folder.name]
    if foreign:
        raise StorageError(f"{folder} is taken and is not replaced: it holds {', '.join(foreign[:3])}.")


def _read(folder: Path, name: str, most: int) -> bytes:
    path = folder / name
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeFolderError(f"{path} is not a plain file.")
        if status.st_size > most:
            raise UnsafeFolderError(f"{path} has {status.st_size:,} bytes; at most {most:,} are read.")
        return path.read_bytes()
    except FileNotFoundError as error:
        if name == MODEL and (folder / PICKLED).exists():
            raise UnsafeFolderError(
                f"{folder} holds its weights in {PICKLED}, a pickle, which can run code; only {MODEL} is read. "
                "Save it again with save_pretrained(…, safe_serialization=True)."
            ) from error
        raise StorageError(f"{folder} has no {name}. A pretrained model has {', '.join(FILES)}.") from error
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.") from error
