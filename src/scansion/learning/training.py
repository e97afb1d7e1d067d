"""How much a network is trained: the options of a run, and the recipes for those that are not trained like the others.

One recipe serves every data set: a small one is read more often, in smaller batches.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from scansion.families.catalogue import DOCUMENT_FAMILIES
from scansion.options import check_positive, check_shares, check_whole


@dataclass(frozen=True)
class Training:
    """The options of a training run."""

    max_tokens: int = 20_000_000
    """Tokens to read in all, as far as the bounds on epochs allow."""
    min_epochs: int = 3
    max_epochs: int = 8
    target_steps: int = 1_000
    """Steps a small data set is cut into, as far as the bounds on batches allow."""
    min_batch_tokens: int = 100
    max_batch_tokens: int = 4_000
    warmup: float = 0.1
    """The share of the run in which the learning rate rises; then it falls to zero in a straight line."""
    weight_decay: float = 0.01
    label_smoothing: float = 0.1
    max_grad_norm: float = 1.0
    averaging_fraction: float = 0.0
    """The share of a run whose weights are averaged into those that are kept; 0 to keep them as they are."""
    validation_fraction: float = 0.05
    """The share of rows held out, at most ``max_validation_rows``, to choose the epoch whose weights are kept."""
    max_validation_rows: int = 2_000

    doing: ClassVar[str] = "training"
    enough_tokens: ClassVar[float] = float("inf")
    """A run that a budget ends before its first epoch says nothing of its family unless it has read so many tokens."""

    def __post_init__(self) -> None:
        check_whole(self, "max_tokens", "min_epochs", "target_steps", "min_batch_tokens", "max_validation_rows")
        check_whole(self, "max_epochs", least=self.min_epochs)
        check_whole(self, "max_batch_tokens", least=self.min_batch_tokens)
        check_shares(self, "weight_decay", "label_smoothing")
        check_positive(self, "warmup", "max_grad_norm", "validation_fraction")
        check_shares(self, "warmup", "averaging_fraction", "validation_fraction")

    def epochs(self, tokens: int) -> int:
        """Epochs for a training set of so many tokens."""
        return int(np.clip(round(self.max_tokens / max(1, tokens)), self.min_epochs, self.max_epochs))

    def batch_tokens(self, tokens: int) -> int:
        """Tokens a batch for a training set of so many tokens."""
        wanted = tokens * self.epochs(tokens) // self.target_steps
        return int(np.clip(wanted, self.min_batch_tokens, self.max_batch_tokens))


@dataclass(frozen=True)
class FineTuning(Training):
    """Weights that know the language already need few epochs, and lose what they know in many."""

    max_tokens: int = 300_000
    min_epochs: int = 3
    max_epochs: int = 10
    target_steps: int = 750
    min_batch_tokens: int = 400
    max_batch_tokens: int = 2_000
    label_smoothing: float = 0.0
    averaging_fraction: float = 0.2


@dataclass(frozen=True)
class TranslationTraining(Training):
    """One recipe for every pair of languages."""

    max_tokens: int = 50_000_000
    max_epochs: int = 80
    target_steps: int = 17_000
    min_batch_tokens: int = 1_000
    averaging_fraction: float = 0.1


@dataclass(frozen=True)
class LanguageTraining(Training):
    """One recipe for every text: its end is best where the learning rate is lowest, however often it was read."""

    max_tokens: int = 20_000_000
    max_epochs: int = 20
    target_steps: int = 4_000
    min_batch_tokens: int = 1_000
    max_batch_tokens: int = 1_040
    label_smoothing: float = 0.0
    weight_decay: float = 0.1

    enough_tokens: ClassVar[float] = 500_000
    """Every token is foretold, and a long text says early what it is like."""


@dataclass(frozen=True)
class Pretraining(Training):
    """Without answers there is little to overfit on: what counts is how much is read."""

    max_tokens: int = 60_000_000
    max_epochs: int = 20
    target_steps: int = 3_000
    min_batch_tokens: int = 1_000
    max_batch_tokens: int = 16_000
    validation_fraction: float = 0.02
    learning_rate: float = 2e-3
    """For every family: what is guessed is the same, and there is more of it than of answers."""
    chunk_tokens: int = 32
    """Tokens of the chunks that texts are cut into."""
    chunks_read: float = 0.2
    """The share of them that is read."""

    doing: ClassVar[str] = "pretraining"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "chunk_tokens")
        check_positive(self, "learning_rate", "chunks_read")
        check_shares(self, "chunks_read")


TRAININGS: dict[str, type[Training]] = {
    "training": Training, "fine-tuning": FineTuning, "translation": TranslationTraining, "language": LanguageTraining,
    "pretraining": Pretraining,
}
"""By the names under which folders store them."""

RECIPES: dict[str | None, Training] = {"pretrained": FineTuning(), "rnn": Training(averaging_fraction=0.2)}
"""Of the families that are not trained like the others; why is told in docs/why.md."""


def recipe_of(family: Any) -> Training:
    """The recipe where none is given."""
    return RECIPES.get(DOCUMENT_FAMILIES.name_of(type(family)), Training())
