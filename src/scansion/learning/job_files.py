"""What jobs leave on disk for their workers: token ids, read there as they are needed, arrays, and the description."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scansion.learning.description import FitDescription
from scansion.spill import read_flat, write_flat
from scansion.storage.schema import from_json, to_json
from scansion.text.batches import Sequences
from scansion.text.vocabulary import SubwordIndex

INDEX = ("words", "char_ngrams", "offsets")
DESCRIPTION = "description.json"


def write_description(folder: Path, description: FitDescription, sizes: Mapping[str, int]) -> None:
    """The description of a fit, and the sizes that its network has beside."""
    stored = {"description": to_json(description), "sizes": dict(sizes)}
    (folder / DESCRIPTION).write_text(json.dumps(stored))


def read_description(folder: Path) -> tuple[FitDescription, dict[str, Any]]:
    """The inverse of :func:`write_description`."""
    stored = json.loads((folder / DESCRIPTION).read_text())
    return from_json(FitDescription, stored["description"], DESCRIPTION), stored["sizes"]


def write_sequences(folder: Path, parts: dict[str, Sequences]) -> None:
    """Some sequences by name; ids that several of them share are written once."""
    written: dict[int, str] = {}
    for name, part in parts.items():
        if (first := written.setdefault(id(part.ids), name)) != name:
            (folder / f"{name}.ids").hardlink_to(folder / f"{first}.ids")
        else:
            write_flat(folder / f"{name}.ids", part.ids)
        np.save(folder / f"{name}.npy", np.stack([part.starts, part.lengths]))
        (folder / f"{name}.json").write_text(json.dumps([part.first, part.frame]))


def read_sequences(folder: Path, name: str) -> Sequences:
    """The inverse of :func:`write_sequences`."""
    first, frame = json.loads((folder / f"{name}.json").read_text())
    ids = read_flat(folder / f"{name}.ids", np.int32)
    starts, lengths = np.load(folder / f"{name}.npy")
    return Sequences(ids, starts, lengths, first, None if frame is None else (frame[0], frame[1]))


def write_index(folder: Path, index: SubwordIndex | None) -> None:
    """What tokens are made of, if they are not words themselves."""
    if index is not None:
        for name in INDEX:
            np.save(folder / f"index.{name}.npy", getattr(index, name))


def read_index(folder: Path) -> SubwordIndex | None:
    """The inverse of :func:`write_index`."""
    if not (folder / f"index.{INDEX[0]}.npy").exists():
        return None
    return SubwordIndex(*(np.load(folder / f"index.{name}.npy") for name in INDEX))
