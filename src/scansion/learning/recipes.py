"""How much each kind of family is trained: one recipe for every data set."""

from dataclasses import dataclass

from scansion.families.catalogue import Family
from scansion.families.pretrained import Pretrained
from scansion.families.rnn import RNN
from scansion.learning.gradient import Training


@dataclass(frozen=True)
class FineTuning(Training):
    """Weights that know the language already need few epochs, and lose what they know in many."""

    tokens: int = 300_000
    fewest_epochs: int = 3
    most_epochs: int = 10
    steps: int = 750
    smallest_batch: int = 400
    largest_batch: int = 2_000
    label_smoothing: float = 0.0
    averaged: float = 0.2


RECIPES: dict[type[Family], Training] = {Pretrained: FineTuning(), RNN: Training(averaged=0.2)}
"""Of those that are not trained like the others: see docs/why.md, "What an RNN has of its own"."""


def recipe_of(family: Family) -> Training:
    """The recipe where none is given."""
    return RECIPES.get(type(family), Training())
