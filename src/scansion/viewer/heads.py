"""Heads of attention as small multiples, one of them large, with what each does beside where it looks."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scansion.viewer.pictures import DARK, LEVELS, LIGHT, picture, shared, tokens_a_cell

MOST_NUMBERS = 16  # a side: larger maps show the strongest weights of every position instead
STRONGEST = 3
SINK_SHARE = 0.5


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
    """All heads as one, each counting as much as its removal costs, (Q, K)."""
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
    spread, (where, shares) = entropies(maps.weights), sinks(maps.weights)
    tiles = []
    if maps.together is not None:
        tiles.append({"name": "all heads, each by its effect", "short": "all", **_tile(maps.together)})
    for layer in range(layers):
        for head in range(heads):
            place = layer, head
            tiles.append({
                "name": f"layer {layer + 1}, head {head + 1}", "short": f"{layer + 1}.{head + 1}",
                **_tile(maps.weights[place]), "entropy": float(spread[place]), "sink_share": float(shares[place]),
                "sink": maps.columns[where[place]] if shares[place] >= SINK_SHARE and len(maps.columns) > 2 else "",
                "effect": None if maps.effects is None else float(maps.effects[place]),
            })
    chosen = 0 if maps.together is not None else _most_effective(maps)
    greatest = 0.0 if maps.effects is None else float(np.abs(maps.effects).max(initial=0))
    many = "bytes" if len(maps.rows) > MOST_NUMBERS or len(maps.columns) > MOST_NUMBERS else ""
    weights = maps.together if maps.together is not None else maps.weights[divmod(chosen, heads)]
    return {
        "maps": maps, "tiles": tiles, "chosen": chosen, "layers": layers, "heads": heads, "quantity": quantity,
        "greatest_effect": greatest, "numbers": None if many else weights.tolist(),
        "strongest": _strongest(maps, weights) if many else None,
        "row_cell": tokens_a_cell(len(maps.rows)), "column_cell": tokens_a_cell(len(maps.columns)),
        "data": {
            "rows": maps.rows, "columns": maps.columns, "rowWords": maps.row_words, "columnWords": maps.column_words,
            "rowCell": tokens_a_cell(len(maps.rows)), "columnCell": tokens_a_cell(len(maps.columns)),
            "chosen": chosen, "steps": maps.steps,
            "tiles": [{"name": tile["name"], "greatest": tile["picture"].greatest} for tile in tiles],
            "levels": LEVELS, "reds": [int(LIGHT[0]), int(DARK[0])],
        },
    }


def _tile(weights: np.ndarray) -> dict[str, Any]:
    return {"picture": picture(shared(weights)), "entropy": None, "sink": "", "sink_share": None, "effect": None}


def _most_effective(maps: HeadMaps) -> int:
    return 0 if maps.effects is None else int(maps.effects.argmax())


def _strongest(maps: HeadMaps, weights: np.ndarray) -> list[list[tuple[str, float]]]:
    """The positions that each row looks at most, (Q, STRONGEST)."""
    best = np.argsort(-weights, axis=-1, kind="stable")[:, :STRONGEST]
    return [[(maps.columns[i], float(row[i])) for i in places] for row, places in zip(weights, best, strict=True)]
