"""Heads of attention as small multiples, one of them large, with what each does beside where it looks."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scansion.viewer.pictures import DARK, LEVELS, LIGHT, picture, shared, tokens_a_cell

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


def entropies(weights: np.ndarray) -> np.ndarray:
    """How evenly each head looks, from 0, at one position, to 1, at all alike: (..., Q, K) -> (...)."""
    safe = np.where(weights > 0, weights, 1)
    mean = -(weights * np.log(safe)).sum(axis=-1).mean(axis=-1)
    return mean / np.log(max(weights.shape[-1], 2))


def sinks(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The position that each head looks at most, and its share of all looking, (..., Q, K) -> (...) twice."""
    looked_at = weights.mean(axis=-2)
    return looked_at.argmax(axis=-1), looked_at.max(axis=-1)


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
            "chosen": chosen, "steps": maps.steps, "levels": LEVELS, "reds": [int(LIGHT[0]), int(DARK[0])],
            "tiles": [{"name": tile["name"], "greatest": tile["picture"].greatest} for tile in tiles],
        },
    }


def _tiles(maps: HeadMaps, columns: list[str]) -> list[dict[str, Any]]:
    """A picture and its badges for every head, and before them for several as one."""
    spread, (where, shares) = entropies(maps.weights), sinks(maps.weights)
    tiles = [] if maps.together is None else [{"name": maps.which, "short": "together", **_tile(maps.together)}]
    for layer, head in np.ndindex(maps.weights.shape[:2]):
        place = layer, head
        sink = shares[place] >= SINK_SHARE and len(columns) > 2
        tiles.append({
            "name": f"layer {layer + 1}, head {head + 1}", "short": f"{layer + 1}.{head + 1}",
            **_tile(maps.weights[place]), "entropy": float(spread[place]), "sink_share": float(shares[place]),
            "sink": columns[where[place]] if sink else "",
            "effect": None if maps.effects is None else float(maps.effects[place]),
        })
    return tiles


def _shown(tokens: tuple[str, ...]) -> list[str]:
    """Tokens of which something can be seen."""
    return [token if token.strip() else BLANK for token in tokens]


def _tile(weights: np.ndarray) -> dict[str, Any]:
    return {"picture": picture(shared(weights)), "entropy": None, "sink": "", "sink_share": None, "effect": None}


def _strongest(columns: list[str], weights: np.ndarray) -> list[list[tuple[str, float]]]:
    """The positions that each row looks at most, (Q, STRONGEST)."""
    best = np.argsort(-weights, axis=-1, kind="stable")[:, :STRONGEST]
    return [[(columns[i], float(row[i])) for i in places] for row, places in zip(weights, best, strict=True)]
