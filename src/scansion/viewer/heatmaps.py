"""Weights as pictures that are also the data: an indexed PNG, a byte a cell.

    byte = round(LEVELS sqrt(weight)),      and the palette makes the greatest byte of the picture the darkest

Browsers inflate a picture when it is needed, show it without a script, and give a script its bytes back.  The square
root keeps small weights apart, and bounds the size: in a row of K weights that sum to one the bytes are
LEVELS / sqrt(K) on average or less, so that by the entropy of a geometric distribution of that mean 512 columns take
at most 4.3 bits a cell, however the weights lie.
"""

import base64
import struct
import zlib
from dataclasses import dataclass

import numpy as np

from scansion.errors import UsageError

LEVELS = 144
LIGHT, DARK = np.array([255, 255, 255]), np.array([18, 42, 110])
MOST_CELLS = 512  # a side; more tokens share cells


@dataclass(frozen=True)
class Picture:
    """Cells (rows, columns) of up to ``greatest``, a byte."""

    address: str
    """A ``data:`` address of the PNG."""
    rows: int
    columns: int
    greatest: int


def picture(weights: np.ndarray) -> Picture:
    """Weights (rows, columns) from 0 to 1; UsageError for others."""
    if not (weights.min(initial=0) >= 0 and weights.max(initial=0) <= 1 + 1e-4):
        raise UsageError(f"Weights of attention lie between 0 and 1; got {weights.min()} to {weights.max()}.")
    cells = np.round(LEVELS * np.sqrt(weights.clip(0, 1))).astype(np.uint8)
    greatest = max(1, int(cells.max(initial=0)))
    encoded = base64.b64encode(png(cells, palette(greatest))).decode()
    return Picture(f"data:image/png;base64,{encoded}", len(cells), cells.shape[1], greatest)


def palette(greatest: int) -> np.ndarray:
    """Colours of the bytes up to the greatest, (greatest + 1, 3) uint8: no two have the same red."""
    return np.round(LIGHT + np.arange(greatest + 1)[:, None] / greatest * (DARK - LIGHT)).astype(np.uint8)


def png(cells: np.ndarray, colours: np.ndarray) -> bytes:
    """Bytes (rows, columns) and the colours they stand for as an indexed PNG (ISO/IEC 15948)."""
    rows, columns = cells.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    unfiltered = np.pad(cells, ((0, 0), (1, 0)))  # every row begins with the number of its filter
    chunks = (b"IHDR", header), (b"PLTE", colours.tobytes()), (b"IDAT", zlib.compress(unfiltered.tobytes(), 9))
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
