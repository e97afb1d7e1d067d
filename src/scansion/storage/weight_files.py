"""The weights of a pretrained folder: one safetensors file, or several and an index that says which tensor is where."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from scansion.errors import StorageError, UnsafeFolderError, shown
from scansion.storage.foreign_folder import ForeignFolder, plain_name
from scansion.storage.limits import MOST_FILE_BYTES, MOST_HEADER_BYTES, WEIGHTS
from scansion.storage.tensors import TensorEntry, as_read, check_header, check_numbers

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


class WeightFile(Mapping[str, np.ndarray]):
    """The tensors of one file by their names, each read when it is asked for; the header is checked at once.

    StorageError where there is no such file, UnsafeFolderError for one that does not hold what its header claims.
    """

    def __init__(self, folder: ForeignFolder, name: str, most: int) -> None:
        self.folder, self.name, self.where = folder, name, folder.where(name)
        self.size = folder.size(name, most)
        length = int.from_bytes(folder.part(name, 0, 8), "little")
        beginning = bytes(folder.part(name, 0, 8 + min(length, MOST_HEADER_BYTES)))
        self.entries = check_header(beginning, self.where, foreign=True, size=self.size)
        self.begin = len(beginning)

    def __getitem__(self, name: str) -> np.ndarray:
        """A copy of its own. UnsafeFolderError or DivergedError for numbers that are none."""
        entry = self.entries[name]
        begin, end = entry.data_offsets
        data = self.folder.part(self.name, self.begin + begin, end - begin)
        if len(data) != end - begin:
            raise StorageError(f"{self.where} was cut while it was read. Copy the folder again.")
        array = as_read(np.frombuffer(data, entry.stored), entry)
        check_numbers(name, array, entry, self.where)
        return array

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


class Weights(Mapping[str, np.ndarray]):
    """The tensors of several files."""

    def __init__(self, files: Mapping[str, WeightFile]) -> None:
        """By the name of each tensor, the file it is in."""
        self.files = files

    def __getitem__(self, name: str) -> np.ndarray:
        return self.files[name][name]

    def __contains__(self, name: object) -> bool:
        return name in self.files

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def entry(self, name: str) -> TensorEntry:
        """What its header says of a tensor, without reading it."""
        return self.files[name].entries[name]


def read_weights(folder: ForeignFolder) -> Weights:
    """Every tensor by its name; of two ways to hold them, one file goes first.

    StorageError where there are none, UnsafeFolderError for files that do not hold what they claim or what the index
    says.
    """
    if folder.has(MODEL) or not folder.has(INDEX):
        return Weights(dict.fromkeys(whole := _whole(folder), whole))
    return Weights(_from_shards(folder, _files_by_tensor(folder)))


def _whole(folder: ForeignFolder) -> WeightFile:
    for name, format_name in IN_OTHER_FORMATS.items():
        if not folder.has(MODEL) and folder.has(name):
            raise UnsafeFolderError(
                f"{folder.path} holds its weights in {name}, {format_name}; only {MODEL} is read. {SAVE_AGAIN}"
            )
    return WeightFile(folder, MODEL, MOST_BYTES)


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


def _from_shards(folder: ForeignFolder, files: Mapping[str, str]) -> dict[str, WeightFile]:
    found: dict[str, WeightFile] = {}
    left = MOST_BYTES
    for file in sorted(set(files.values())):
        if not folder.has(file):
            raise StorageError(f"{folder.path} has no {file}, which {INDEX} names. Fetch or copy the folder again.")
        tensors = WeightFile(folder, file, left)
        left -= tensors.size
        expected = {name for name, its_file in files.items() if its_file == file}
        if missing := sorted(expected - tensors.keys()):
            raise UnsafeFolderError(f"{folder.where(file)} has no tensor {shown(missing[0])}; by {INDEX} it has.")
        if strange := sorted(tensors.keys() - expected):
            there = f"in {files[strange[0]]}" if strange[0] in files else "nowhere"
            raise UnsafeFolderError(
                f"{folder.where(file)} has the tensor {shown(strange[0])}, which by {INDEX} stands {shown(there)}."
            )
        found |= dict.fromkeys(tensors, tensors)
    return found
