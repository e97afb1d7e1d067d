"""Static vectors distilled of a pretrained encoder: every token of its vocabulary read once, alone.

    e_t = P (mean of the encoder's vectors of [CLS] t [SEP], less the mean of all tokens)

P: the ``DIMENSIONS`` principal directions of the tokens (Tulkens and van Dongen 2024, Model2Vec).  It takes about a
minute of a processor for MiniLM-L6, and what it gives is kept where the vectors of frozen encoders are.
"""

import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from scansion.families.pretrained import Pretrained
from scansion.families.static import AUTO, NONE, StaticTable
from scansion.learning.events import Event, Stage
from scansion.learning.frozen_encoder import FORWARD_VERSION
from scansion.models.pretrained_encoder import PretrainedDocuments, read_pretrained
from scansion.storage.fingerprints import fingerprint_of
from scansion.storage.pretrained_source import DEFAULT, default_at_hand, find_pretrained
from scansion.storage.vectors import KeptVectors, key_of
from scansion.text.batches import Sequences

DIMENSIONS = 256
VERSION = "1"
"""To be raised whenever the same encoder comes to another table: kept ones are then made anew."""
SHARE_TO_TIME = 32  # one part in so many shows how long all will take


@dataclass(frozen=True)
class Distilled:
    """The table of an encoder, None where there is none, and what is to be said of that."""

    table: StaticTable | None
    name: str = ""
    remarks: tuple[str, ...] = ()


def static_table(wanted: str, deadline: float) -> Generator[Event, None, Distilled]:
    """The table of a source: a folder or a name as the family pretrained takes them, or nothing for MiniLM-L6.

    None for ``NONE``; for ``AUTO`` too where MiniLM-L6 is not installed, or cannot be read in half of the time left.
    StorageError or UnsafeFolderError for weights that are not to be had.
    """
    if wanted == NONE or (wanted == AUTO and not default_at_hand()):
        return Distilled(None)
    place = find_pretrained("" if wanted == AUTO else wanted)
    name = place.name if wanted not in ("", AUTO) else DEFAULT
    documents, kept = _read(place, _state_of(place))
    keys = [key_of(number.to_bytes(4, "little")) for number in range(documents.words)]
    found = kept.find(keys)
    if len(found) == len(set(keys)):
        return Distilled(StaticTable.of(documents.tokenizer, np.stack([found[key] for key in keys])), name)
    until = time.monotonic() + (deadline - time.monotonic()) / 2 if wanted == AUTO else float("inf")
    vectors = yield from _alone(documents, name, until)
    if vectors is None:
        return Distilled(None, name, (f"static vectors of {name} left out: the budget is too short to make them",))
    vectors = _principal(vectors, kept.width)
    with suppress(OSError):  # where nothing can be kept, making them again costs time and nothing else
        kept.keep(keys, vectors)
    return Distilled(StaticTable.of(documents.tokenizer, vectors), name)


@lru_cache(maxsize=1)
def _read(place: Path, state: tuple[Any, ...]) -> tuple[PretrainedDocuments, KeptVectors]:
    """The encoder in a folder, and where its table is kept; read again when ``state`` of the folder is another."""
    documents = read_pretrained(Pretrained(str(place), pooling="mean"), [])
    reader = fingerprint_of((documents.fingerprint, FORWARD_VERSION, VERSION, repr(documents.sequences.frame)))
    return documents, KeptVectors(reader, min(DIMENSIONS, documents.bert.width))


def _state_of(place: Path) -> tuple[Any, ...]:
    files = sorted(each for each in place.rglob("*") if each.is_file())
    return tuple((str(each), each.stat().st_size, each.stat().st_mtime_ns) for each in files)


def _alone(documents: PretrainedDocuments, name: str, until: float) -> Generator[Event, None, np.ndarray | None]:
    """What the encoder makes of every token alone, (V, width); None if that would last beyond ``until``."""
    tokens, begun = np.arange(documents.words, dtype=np.int32), time.monotonic()
    every = Sequences(tokens, tokens.astype(np.int64), np.ones(len(tokens), np.int64), frame=documents.sequences.frame)
    encoder, parts = documents.encoder(), np.array_split(tokens, SHARE_TO_TIME)
    vectors = np.zeros((len(tokens), encoder.width), np.float32)
    for number, part in enumerate(parts):
        yield Stage(f"making static vectors of {name}, once: {100 * number // len(parts)} %")
        vectors[part] = encoder.fresh_vectors(every.only(part))
        if number == 0 and begun + len(parts) * (time.monotonic() - begun) > until:
            return None
    return vectors


def _principal(vectors: np.ndarray, dimensions: int) -> np.ndarray:
    """(V, width) on its first principal directions, (V, dimensions) float32."""
    centred = vectors - vectors.mean(axis=0)
    _, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    return (centred @ directions[:, ::-1][:, :dimensions].astype(np.float32)).astype(np.float32)
