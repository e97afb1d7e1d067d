"""What jobs leave on disk for their workers: token ids, read there as they are needed, and how tokens are spelled."""

import json
from pathlib import Path

import numpy as np

from scansion.spill import read_flat, write_flat
from scansion.text.batches import Sequences
from scansion.text.vocabulary import Spelling

SPELLING = ("words", "pieces", "borders")


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
    return Sequences(ids, *np.load(folder / f"{name}.npy"), first, None if frame is None else (frame[0], frame[1]))


def write_spelling(folder: Path, spelling: Spelling) -> None:
    """How tokens are spelled."""
    for kind in SPELLING:
        np.save(folder / f"spelling.{kind}.npy", getattr(spelling, kind))


def read_spelling(folder: Path) -> Spelling:
    """The inverse of :func:`write_spelling`."""
    return Spelling(*(np.load(folder / f"spelling.{kind}.npy") for kind in SPELLING))
