"""Counted vectors with static ones beside them, if folds say that these help."""

import time
from collections.abc import Generator
from typing import Any

import numpy as np

from scansion.families.beside_static import BesideStatic
from scansion.heads.catalogue import Head
from scansion.learning.events import Event, Stage
from scansion.learning.linear_head import linear_of
from scansion.learning.strengths import FittedLinear
from scansion.text.word_tokenizer import Corpus

WORTH = 0.01
"""Of the held-out loss: what static vectors must save, since they cost memory and half of a model's speed."""


def fit_beside_static(
    family: BesideStatic,
    head: Head,
    corpus: Corpus,
    targets: np.ndarray,
    weights: np.ndarray,
    seed: int,
    deadline: float = float("inf"),
) -> Generator[Event, None, tuple[Any, FittedLinear, str]]:
    """Learn both with and without static vectors; those that folds are for, their head, and why these.

    Where there is nothing to hold out static vectors stay: of a handful of rows counts know next to nothing.
    """
    yield Stage(f"making vectors of {len(corpus):,} documents")
    counts = family.counted.learn(corpus)
    given = (targets, weights, seed, deadline)
    plain = yield from linear_of(family.counted, head, counts, *given)
    if time.monotonic() > deadline:
        return family.counted, plain, "left out, since the budget was spent"
    both = yield from linear_of(family, head, family.beside(counts, corpus), *given)
    if not both.choice.held_out:
        return family, both, "beside the counts"
    without, beside = (each.choice.held_out[each.choice.strength] for each in (plain, both))
    found = f"a held-out loss of {beside:.3f}, without them {without:.3f}"
    if beside < (1 - WORTH) * without:
        return family, both, f"beside the counts: {found}"
    return family.counted, plain, f"left out: {found}"
