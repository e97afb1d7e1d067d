"""Weights as pictures that are also the data: an indexed PNG, a byte a cell, whose palette shows it and tells it apart.

    byte = round(255 weight / greatest),     a darker blue for more, by the square root, so that small weights are seen

Browsers inflate a picture when it is needed, show it without a script, and give a script its bytes back.
"""

import base64
import struct
import zlib
from dataclasses import dataclass

import numpy as np

from scansion.errors import UsageError

LEVELS = 256
LIGHT, DARK = np.array([255, 255, 255]), np.array([18, 42, 110])
MOST_CELLS = 512  # a side; more tokens share cells


def palette() -> np.ndarray:
    """(256, 3) uint8, all different."""
    tones = np.sqrt(np.arange(LEVELS) / (LEVELS - 1))[:, None]
    colours = np.round(LIGHT + tones * (DARK - LIGHT)).astype(int)
    colours[:, 2] -= np.arange(LEVELS) % 2  # neighbours at the dark end would be one colour
    return colours.clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Picture:
    """Cells (rows, columns) of up to ``greatest``, which byte 255 stands for."""

    address: str
    """A ``data:`` address of the PNG."""
    rows: int
    columns: int
    greatest: float


def picture(weights: np.ndarray) -> Picture:
    """Weights (rows, columns), none of them negative."""
    if weights.min(initial=0) < 0:
        raise UsageError("Weights of attention are not negative.")
    greatest = float(weights.max(initial=0)) or 1.0
    cells = np.round(weights * ((LEVELS - 1) / greatest)).astype(np.uint8)
    encoded = base64.b64encode(png(cells)).decode()
    return Picture(f"data:image/png;base64,{encoded}", *cells.shape, greatest)


def png(cells: np.ndarray) -> bytes:
    """Bytes (rows, columns) as an indexed PNG (ISO/IEC 15948)."""
    rows, columns = cells.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    unfiltered = np.pad(cells, ((0, 0), (1, 0)))  # every row begins with the number of its filter
    chunks = (b"IHDR", header), (b"PLTE", palette().tobytes()), (b"IDAT", zlib.compress(unfiltered.tobytes(), 9))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in (*chunks, (b"IEND", b"")))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def shared(weights: np.ndarray, side: int = MOST_CELLS) -> np.ndarray:
    """(..., Q, K) in at most ``side`` cells each way: what a cell's columns hold together, on average over its rows."""
    rows, columns = weights.shape[-2:]
    tall, wide = tokens_a_cell(rows, side), tokens_a_cell(columns, side)
    if tall > 1:
        begins = np.arange(0, rows, tall)
        counts = np.diff(np.append(begins, rows))[:, None]
        weights = np.add.reduceat(weights, begins, axis=-2) / counts
    return np.add.reduceat(weights, np.arange(0, columns, wide), axis=-1) if wide > 1 else weights


def tokens_a_cell(tokens: int, side: int = MOST_CELLS) -> int:
    """How many neighbours share a cell."""
    return -(-tokens // side)
