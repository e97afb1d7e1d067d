"""Sight: which positions a position can see, measured and not believed.

One token of a document is changed at a time.  Where vectors are learned, position 4 sees position j if its own vector
moves.  Where features are counted, it sees j if some feature holds both: one that is lost whichever of the two is
changed.

    bag of words  ...#..      n-grams  .#####      LSTM  ######
"""

import numpy as np
import torch
from torch import Tensor, nn

from scansion.families.catalogue import FAMILIES, CountedFamily, Family, ReadingFamily, family_from
from scansion.families.pretrained import Pretrained
from scansion.storage.pretrained import default_at_hand
from scansion.tasks.borrowing import borrow
from scansion.tasks.models import FrozenModel, Model, TunedModel
from scansion.text.batches import FIRST_WORD
from scansion.text.borrowed import BorrowedTokens
from scansion.text.words import read_words

DOCUMENT = ("aaa", "bbb", "ccc", "ddd", "eee", "fff")  # no letter twice, so that no two words share a piece
OTHER = "ooo"
LETTERS = "a b c d e f o"  # the same in tokens that a pretrained encoder knows
EYE = 3  # the position that looks, counted from zero
SMALLEST_CHANGE = 1e-6


def sight(given: str | Family) -> str:
    """A character for each of six positions: ``#`` where position 4 of this family sees it, else ``.``."""
    family = family_from(given)
    if isinstance(family, Pretrained):
        borrowed = borrow(family, [LETTERS])
        return _drawn(_seen_by_weights(borrowed.encoder().network, borrowed.tokens))
    return _drawn(_seen_by_counts(family) if family.learner == "convex" else _seen_by_vectors(family))


def sight_of(model: Model, family: Family) -> str:
    """The same of what an estimator of this family has learned; empty if its tokens cannot be told apart."""
    if isinstance(model, FrozenModel):
        return _drawn(_seen_by_weights(model.family.encoder.network, model.tokens))
    if isinstance(model, TunedModel):
        return _drawn(_seen_by_weights(model.reader.network, model.tokens))
    return sight(family)


def pictures() -> dict[str, str]:
    """What every family sees, by its name; the pretrained one if its default weights are installed."""
    return {name: sight(name) for name in FAMILIES if name != "pretrained" or default_at_hand()}


def _seen_by_counts(family: CountedFamily) -> np.ndarray:
    changed = [" ".join((*DOCUMENT[:j], OTHER, *DOCUMENT[j + 1 :])) for j in range(len(DOCUMENT))]
    whole = " ".join(DOCUMENT)
    counted = family.build()
    counted.learn(read_words([whole] * len(DOCUMENT)))  # often enough to keep every feature
    present = counted.vectors(read_words([whole, *changed])).toarray() != 0
    lost = present[0] & ~present[1:]  # (6, D)
    return (lost & lost[EYE]).any(axis=1)


def _seen_by_vectors(family: ReadingFamily) -> np.ndarray:
    length = len(DOCUMENT)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = family.build(FIRST_WORD + length + 1).eval()
    return _moved(network, torch.arange(FIRST_WORD, FIRST_WORD + length), FIRST_WORD + length)


def _seen_by_weights(network: nn.Module, tokens: BorrowedTokens) -> np.ndarray:
    ids = torch.from_numpy(tokens.encode([LETTERS]).ids[:].astype(np.int64))
    if len(ids) <= len(DOCUMENT) or ids[EYE] == ids[len(DOCUMENT)]:
        return np.zeros(0, bool)
    return _moved(network.eval(), ids[: len(DOCUMENT)], int(ids[len(DOCUMENT)]))


def _drawn(seen: np.ndarray) -> str:
    return "".join("#" if position else "." for position in seen)


def _moved(network: nn.Module, whole: Tensor, other: int) -> np.ndarray:
    """Where another token in place of one of ``whole (6,)`` moves the fourth position's vector, (6,)."""
    changed = whole.repeat(len(whole), 1).fill_diagonal_(other)
    tokens = torch.cat([whole[None], changed])
    with torch.inference_mode():
        vectors = network(tokens, torch.ones_like(tokens, dtype=torch.bool))[:, EYE]  # (7, D)
    return ((vectors[1:] - vectors[0]).abs().amax(dim=1) > SMALLEST_CHANGE).numpy()
