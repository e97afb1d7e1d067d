"""Named arrays to safetensors bytes and back; the header is checked before anything trusts it.

The format: 8 bytes, the length of the header; the header, JSON; the tensors' bytes, end to end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from scansion.errors import DivergedError, UnsafeFolderError, UsageError, did_you_mean, shown
from scansion.storage.limits import (
    LONGEST_TENSOR_NAME,
    MOST_DIMENSIONS,
    MOST_FILE_BYTES,
    MOST_HEADER_BYTES,
    MOST_TENSORS,
    WEIGHTS,
)
from scansion.storage.schema import from_json
from scansion.storage.strict_json import parse_json

ITEM_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "F16": 2,
    "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip
BFLOAT16 = {"BF16": 2}
"""Read in files of others, as float32; numpy has no such type."""
REMARKS, OFFSETS = "__metadata__", b'"data_offsets"'
STORED_TYPES = "bool, int8-64, uint8-64, float16, float32, float64"


@dataclass(frozen=True)
class TensorEntry:
    """One line of the header: where a tensor's bytes begin and end, counted from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]

    @property
    def item_bytes(self) -> int:
        """Of one number."""
        return (ITEM_BYTES | BFLOAT16)[self.dtype]

    @property
    def stored(self) -> np.dtype:
        """How numpy reads the bytes: those of bfloat16 as whole numbers, since it has no such type."""
        return np.dtype({"BOOL": "?", "BF16": "<u2"}.get(self.dtype, f"<{self.dtype[0].lower()}{self.item_bytes}"))

    @property
    def read(self) -> np.dtype:
        """What the tensor becomes."""
        return np.dtype(np.float32) if self.dtype in BFLOAT16 else self.stored


def tensors_to_bytes(tensors: Mapping[str, np.ndarray]) -> bytes:
    """safetensors; DivergedError names a tensor with a NaN or infinite weight."""
    little_endian = {}
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_TENSOR_NAME or name == REMARKS:
            raise UsageError(f"{name!r} cannot name a tensor; give 1 to {LONGEST_TENSOR_NAME} characters.")
        if not isinstance(tensor, np.ndarray) or tensor.dtype.kind not in "biuf" or tensor.dtype.itemsize > 8:
            kind = getattr(tensor, "dtype", type(tensor).__name__)
            raise UsageError(f"Tensor {name!r} is {kind}; expected a numpy array of {STORED_TYPES}.")
        _refuse_non_finite(name, tensor)
        little_endian[name] = np.asarray(tensor, dtype=tensor.dtype.newbyteorder("<"), order="C")
    data: bytes = save(little_endian)
    try:
        check_header(data, "The weights")
    except UnsafeFolderError as error:
        raise UsageError(str(error)) from error
    return data


def tensors_from_bytes(data: bytes, where: str, foreign: bool = False) -> dict[str, np.ndarray]:
    """Writable copies by name; UnsafeFolderError for a header that lies, DivergedError for weights not finite.

    A ``foreign`` file, which others wrote, may have remarks in its header, which are passed over, and bfloat16
    weights, which become float32.
    """
    entries = check_header(data, where, foreign)
    tensors: dict[str, np.ndarray] = _foreign_tensors(data, entries) if foreign else load(data)
    for name, tensor in tensors.items():
        check_numbers(name, tensor, entries[name], where)
    return tensors


def check_numbers(name: str, tensor: np.ndarray, entry: TensorEntry, where: str) -> None:
    """UnsafeFolderError for truth values that are none, DivergedError for weights that are not finite."""
    # Any byte but 0 and 1 is a third truth value, which each library reads in its own way.
    if entry.dtype == "BOOL" and tensor.size and tensor.view(np.uint8).max() > 1:
        raise UnsafeFolderError(f"{where}: tensor {shown(name)} is BOOL and holds a byte that is not 0 or 1.")
    _refuse_non_finite(name, tensor)


def _check_count(tensors: int, where: str) -> None:
    if tensors > MOST_TENSORS:
        raise UnsafeFolderError(f"{where} names {tensors:,} tensors; at most {MOST_TENSORS:,} are read.")


def check_header(data: bytes, where: str, foreign: bool = False, size: int | None = None) -> dict[str, TensorEntry]:
    """The entries of a header that describes exactly the bytes after it, in one piece, without gap or overlap.

    ``data`` may be no more than the header, of a file of ``size`` bytes.
    """
    size = len(data) if size is None else size
    if len(data) < 8:
        raise UnsafeFolderError(f"{where} has {len(data)} bytes, too few for a safetensors file.")
    length = int.from_bytes(data[:8], "little")
    if length > MOST_HEADER_BYTES:
        raise UnsafeFolderError(
            f"{where} is no safetensors file: its header claims {length:,} bytes, "
            f"at most {MOST_HEADER_BYTES:,} are read."
        )
    if 8 + length > size:
        raise UnsafeFolderError(f"{where} was cut: its header claims {length:,} bytes, {size - 8:,} are there.")
    described = data[8 : 8 + length]
    _check_count(described.count(OFFSETS), where)  # first, since parsing many of them takes a second
    header = parse_json(described, f"{where}, header", MOST_HEADER_BYTES)
    if not isinstance(header, dict) or data[8:9] != b"{":
        raise UnsafeFolderError(f"{where}: the header must be one JSON object.")
    _check_count(len(header), where)
    remarks, types = ({REMARKS}, ITEM_BYTES | BFLOAT16) if foreign else (set(), ITEM_BYTES)
    entries = {
        name: _checked_entry(name, entry, where, types) for name, entry in header.items() if name not in remarks
    }
    _check_in_one_piece(entries, size - 8 - length, where)
    return entries


def _foreign_tensors(data: bytes, entries: Mapping[str, TensorEntry]) -> dict[str, np.ndarray]:
    """Every tensor of a checked file; a bfloat16 is the upper half of a float32."""
    begin = 8 + int.from_bytes(data[:8], "little")
    return {
        name: as_read(np.frombuffer(data, entry.stored, prod(entry.shape), begin + entry.data_offsets[0]).copy(), entry)
        for name, entry in entries.items()
    }


def as_read(stored: np.ndarray, entry: TensorEntry) -> np.ndarray:
    """A tensor of its numbers as they are stored, end to end; a bfloat16 is the upper half of a float32."""
    array = (stored.astype(np.uint32) << 16).view(np.float32) if entry.dtype in BFLOAT16 else stored
    return array.reshape(entry.shape)


def _checked_entry(name: str, value: Any, where: str, types: Mapping[str, int]) -> TensorEntry:
    tensor = f"{where}, tensor {shown(name)}"
    if not 0 < len(name) <= LONGEST_TENSOR_NAME:
        raise UnsafeFolderError(f"{tensor}: a name has 1 to {LONGEST_TENSOR_NAME} characters, this has {len(name):,}.")
    entry = from_json(TensorEntry, value, tensor)
    if entry.dtype not in types:
        raise UnsafeFolderError(
            f"{tensor}: type {shown(entry.dtype)} is not stored here{did_you_mean(entry.dtype[:60], types)}"
        )
    if len(entry.shape) > MOST_DIMENSIONS or min(entry.shape, default=0) < 0:
        raise UnsafeFolderError(f"{tensor}: a shape has at most {MOST_DIMENSIONS} dimensions, none below 0.")
    begin, end = entry.data_offsets
    size = prod(entry.shape) * entry.item_bytes
    # An empty tensor can claim any other dimension for nothing; libraries multiply them all the same.
    claimed = prod(max(dimension, 1) for dimension in entry.shape) * entry.item_bytes
    if not 0 <= begin <= end or end - begin != size or claimed > MOST_FILE_BYTES[WEIGHTS]:
        raise UnsafeFolderError(
            f"{tensor}: shape {shown(str(list(entry.shape)))} of {entry.dtype} does not fit the bytes {begin} to {end}."
        )
    return entry


def _check_in_one_piece(entries: Mapping[str, TensorEntry], size: int, where: str) -> None:
    reached = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        begin, end = entry.data_offsets
        if begin != reached:
            fault = "overlaps another" if begin < reached else "leaves a gap before it"
            raise UnsafeFolderError(f"{where}: tensor {shown(name)} {fault}, at byte {begin}.")
        reached = end
    if reached != size:
        raise UnsafeFolderError(f"{where}: the tensors take {reached:,} bytes, {size:,} are there.")


def _refuse_non_finite(name: str, tensor: np.ndarray) -> None:
    # The least and the greatest carry a NaN along and need no second array.
    if tensor.dtype.kind == "f" and tensor.size and not np.isfinite([tensor.min(), tensor.max()]).all():
        raise DivergedError(
            f"Tensor {shown(name)} holds a weight that is NaN or infinite; such a model is neither "
            "saved nor loaded. Train again with a lower learning rate."
        )
