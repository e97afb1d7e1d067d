"""Heads of attention as small multiples, one of them large, with what each does beside where it looks."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scansion.viewer.heatmaps import DARK, LEVELS, LIGHT, picture, shared, tokens_a_cell

MOST_NUMBERS = 16  # a side: larger maps show the strongest weights of every position instead
STRONGEST = 3
SINK_SHARE = 0.5
BLANK = "␣"


@dataclass(frozen=True, eq=False)
class HeadMaps:
    """Where every head of a network looks. Every row of ``weights`` sums to one."""

    title: str
    rows: tuple[str, ...]
    """What stands at the Q positions that look."""
    columns: tuple[str, ...]
    """What stands at the K positions that are looked at."""
    row_words: tuple[int, ...]
    """The number of the word that each of ``rows`` is a part of, and -1 for what is no part of the text."""
    column_words: tuple[int, ...]
    weights: np.ndarray
    """(layers, heads, Q, K) float32."""
    effects: np.ndarray | None = None
    """What the answer loses without each head, (layers, heads)."""
    together: np.ndarray | None = None
    """Several heads as one map, (Q, K)."""
    which: str = ""
    """Which heads these are."""
    steps: bool = False
    """Whether the rows are written one after the other."""
    causal: bool = False
    """Whether row i can look at no column but 0 .. i."""
    row_names: tuple[str, ...] = ()
    """How the words of the rows are written, where that is not what their pieces look like one after the other."""
    column_names: tuple[str, ...] = ()

    def arrays(self) -> dict[str, np.ndarray]:
        """What is worth keeping as it is."""
        found = {"rows": np.array(self.rows), "columns": np.array(self.columns), "weights": self.weights}
        if self.effects is not None:
            found["effects"] = self.effects
        if self.together is not None:
            found["together"] = self.together
        return found


def weighed_together(weights: np.ndarray, effects: np.ndarray) -> np.ndarray:
    """All heads (layers, heads, Q, K) as one map (Q, K), by what the answer loses without each (layers, heads).

    Heads without which it gains count for nothing; if all of them do, they count alike.
    """
    shares = np.maximum(effects, 0)
    shares = shares / shares.sum() if shares.sum() > 0 else np.full(effects.shape, 1 / effects.size)
    return np.einsum("lh,lhqk->qk", shares.astype(np.float32), weights)


def entropy(weights: np.ndarray, causal: bool = False) -> float:
    """How evenly a head looks, from 0, at one position, to 1, at all it can see alike; (Q, K).

    Rows that can see one position only are not asked.
    """
    seen = np.arange(1, len(weights) + 1) if causal else np.full(len(weights), weights.shape[1])
    rows = seen > 1
    if not rows.any():
        return 0.0
    each = -(weights[rows] * np.log(weights[rows], where=weights[rows] > 0, out=np.zeros_like(weights[rows])))
    return float((each.sum(axis=1) / np.log(seen[rows])).mean())


def sink(weights: np.ndarray, causal: bool = False) -> tuple[int, float]:
    """The position that a head looks at most, and its share of all looking; (Q, K).

    The first row of a causal head can look nowhere else, and is not asked.
    """
    looked_at = (weights[1:] if causal and len(weights) > 1 else weights).mean(axis=0)
    return int(looked_at.argmax()), float(looked_at.max())


def heads_drawn(maps: HeadMaps, quantity: str) -> dict[str, Any]:
    """Everything that the template and the script need."""
    layers, heads = maps.weights.shape[:2]
    rows, columns = _shown(maps.rows), _shown(maps.columns)
    tiles = _tiles(maps, columns)
    chosen = 0 if maps.together is not None or maps.effects is None else int(maps.effects.argmax())
    weights = maps.together if maps.together is not None else maps.weights[divmod(chosen, heads)]
    many = max(len(rows), len(columns)) > MOST_NUMBERS
    cells = {"rowCell": tokens_a_cell(len(rows)), "columnCell": tokens_a_cell(len(columns))}
    return {
        "maps": maps, "rows": rows, "columns": columns, "tiles": tiles, "chosen": chosen, "layers": layers,
        "heads": heads, "quantity": quantity, "numbers": None if many else weights.tolist(),
        "strongest": _strongest(columns, weights) if many else None, "cells": cells,
        "data": {
            "rows": rows, "columns": columns, "rowWords": maps.row_words, "columnWords": maps.column_words, **cells,
            "rowNames": maps.row_names, "columnNames": maps.column_names, "chosen": chosen, "steps": maps.steps,
            "same": maps.rows == maps.columns and not maps.steps, "levels": LEVELS,
            "reds": [int(LIGHT[0]), int(DARK[0])],
            "tiles": [{"name": tile["name"], "greatest": tile["picture"].greatest, "darkest": tile["darkest"]}
                      for tile in tiles],
        },
    }


def _tiles(maps: HeadMaps, columns: list[str]) -> list[dict[str, Any]]:
    """A picture and its badges for every head, and before them for several as one."""
    tiles = [] if maps.together is None else [{"name": maps.which, "short": "together", **_tile(maps.together)}]
    for layer, head in np.ndindex(maps.weights.shape[:2]):
        place = layer, head
        where, share = sink(maps.weights[place], maps.causal)
        tiles.append({
            "name": f"layer {layer + 1}, head {head + 1}", "short": f"{layer + 1}.{head + 1}",
            **_tile(maps.weights[place]), "entropy": entropy(maps.weights[place], maps.causal),
            "sink": columns[where] if share >= SINK_SHARE and len(columns) > 2 else "", "sink_share": share,
            "effect": None if maps.effects is None else float(maps.effects[place]),
        })
    return tiles


def _shown(tokens: tuple[str, ...]) -> list[str]:
    """Tokens of which something can be seen."""
    return [token if token.strip() else BLANK for token in tokens]


def _tile(weights: np.ndarray) -> dict[str, Any]:
    cells = shared(weights)
    return {"picture": picture(cells), "darkest": float(cells.max(initial=0)),
            "entropy": None, "sink": "", "sink_share": None, "effect": None}


def _strongest(columns: list[str], weights: np.ndarray) -> list[list[tuple[str, float]]]:
    """The positions that each row looks at most, (Q, STRONGEST)."""
    found = []
    for row in weights:
        some = np.argpartition(-row, min(STRONGEST, len(row)) - 1)[:STRONGEST]
        found.append([(columns[i], float(row[i])) for i in some[np.argsort(-row[some], kind="stable")]])
    return found
