"""The weights of a pretrained folder: one safetensors file, or several and an index that says which tensor is where."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scansion.errors import StorageError, UnsafeFolderError, shown
from scansion.storage.foreign_folder import ForeignFolder, plain_name
from scansion.storage.limits import MOST_FILE_BYTES, MOST_HEADER_BYTES, WEIGHTS
from scansion.storage.tensors import tensors_from_bytes

MODEL = "model.safetensors"
INDEX = f"{MODEL}.index.json"
SUFFIX = ".safetensors"
MOST_BYTES = MOST_FILE_BYTES[WEIGHTS]
"""Of all files together."""
IN_OTHER_FORMATS = {
    "pytorch_model.bin": "a pickle, which can run code", "pytorch_model.bin.index.json": "pickles, which can run code",
    "tf_model.h5": "the format of TensorFlow", "flax_model.msgpack": "the format of Flax",
}
SAVE_AGAIN = "Save it again: transformers.AutoModel.from_pretrained(folder).save_pretrained(new_folder)."


def read_weights(folder: ForeignFolder) -> dict[str, np.ndarray]:
    """Every tensor by its name; of two ways to hold them, one file goes first.

    StorageError where there are none, UnsafeFolderError for files that do not hold what they claim or what the index
    says.
    """
    if folder.has(MODEL) or not folder.has(INDEX):
        return tensors_from_bytes(_whole(folder), folder.where(MODEL), foreign=True)
    return _from_shards(folder, _files_by_tensor(folder))


def _whole(folder: ForeignFolder) -> bytes:
    for name, format_name in IN_OTHER_FORMATS.items():
        if not folder.has(MODEL) and folder.has(name):
            raise UnsafeFolderError(
                f"{folder.path} holds its weights in {name}, {format_name}; only {MODEL} is read. {SAVE_AGAIN}"
            )
    return folder.bytes(MODEL, MOST_BYTES)


def _files_by_tensor(folder: ForeignFolder) -> dict[str, str]:
    where = folder.where(INDEX)
    index = folder.json(INDEX, MOST_HEADER_BYTES)
    found: Any = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(found, dict) or not found:
        raise UnsafeFolderError(f"{where} must name the file of every tensor, under 'weight_map'.")
    for file in found.values():
        if not plain_name(file, where).endswith(SUFFIX):
            raise UnsafeFolderError(f"{where} names {shown(file)}; weights are read from files *{SUFFIX}.")
    return found


def _from_shards(folder: ForeignFolder, files: Mapping[str, str]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    left = MOST_BYTES
    for file in sorted(set(files.values())):
        if not folder.has(file):
            raise StorageError(f"{folder.path} has no {file}, which {INDEX} names. Fetch or copy the folder again.")
        data = folder.bytes(file, left)
        left -= len(data)
        tensors = tensors_from_bytes(data, folder.where(file), foreign=True)
        expected = {name for name, its_file in files.items() if its_file == file}
        if missing := sorted(expected - tensors.keys()):
            raise UnsafeFolderError(f"{folder.where(file)} has no tensor {shown(missing[0])}; by {INDEX} it has.")
        if strange := sorted(tensors.keys() - expected):
            there = f"in {files[strange[0]]}" if strange[0] in files else "nowhere"
            raise UnsafeFolderError(
                f"{folder.where(file)} has the tensor {shown(strange[0])}, which by {INDEX} stands {shown(there)}."
            )
        found |= tensors
    return found
