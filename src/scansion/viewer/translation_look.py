"""What a translator was seen to do while it wrote, and the page that shows it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scansion.viewer.heads import HeadMaps, heads_drawn
from scansion.viewer.look import scale_of, scale_shown, tint
from scansion.viewer.notebook import Page
from scansion.viewer.page import page


@dataclass(frozen=True, eq=False)
class TranslationLook(Page):
    """One source, one target."""

    name: str
    source: str
    target: str
    sources: tuple[str, ...]
    """The words of the source; of a long one, neighbours together."""
    targets: tuple[str, ...]
    """The words of the target, and its end."""
    log_probabilities: np.ndarray
    """The log-probability of each of the target's words, after those before it, (T,)."""
    lost: np.ndarray
    """What each of these loses when a word is taken out of the source, (T, S)."""
    attention: tuple[HeadMaps, ...]
    """From the target to the source, and where the family has them within either; empty if nothing attends."""
    fidelity: float | None
    """How far log-probabilities on the recorded path are from those on the fast one."""

    def alignment(self) -> np.ndarray:
        """The number of the source piece that each target piece is written looking at most, (target pieces,).

        By the mean over the heads of the upper half of the layers (compare Garg et al. 2019, who find words aligned
        below the last).  Empty if nothing attends.
        """
        if not self.attention:
            return np.zeros(0, np.int64)
        across = self.attention[0]
        together = across.weights[0, 0] if across.together is None else across.together
        return together.argmax(axis=1)

    def html(self) -> str:
        """The page: one file that needs nothing else."""
        return page("translation_look.html", {"look": self, **_drawn(self)}, "look.js")

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights and effects of each kind of attention, and what removals cost."""
        found = {"sources": np.array(self.sources), "targets": np.array(self.targets),
                 "log_probabilities": self.log_probabilities, "lost": self.lost}
        for kind, maps in zip(("across", "within_source", "within_target"), self.attention, strict=False):
            found |= {f"{kind}_{name}": array for name, array in maps.arrays().items()}
        return found


def _drawn(look: TranslationLook) -> dict[str, Any]:
    scale = scale_of(look.lost)
    cells = [
        [{"value": value, "tint": tint(value / scale), "sign": "for" if value >= 0 else "against"} for value in row]
        for row in look.lost.tolist()
    ]
    rows = [
        {"word": word, "share": float(np.exp(log_probability)), "cells": mine}
        for word, log_probability, mine in zip(look.targets, look.log_probabilities.tolist(), cells, strict=True)
    ]
    return {"rows": rows, "heads": [heads_drawn(maps, "log-probability") for maps in look.attention],
            "scale": scale_shown(scale), "total": float(look.log_probabilities.sum())}
