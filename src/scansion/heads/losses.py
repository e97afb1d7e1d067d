"""The loss of each kind of answer, for each row; ``smoothing`` moves that share of a target to all labels alike.

    multiclass   -log p(target)
    multilabel   the mean over labels of -log p(yes or no)
    regression   half the squared error of the standardised number

Apart from the heads, because only who learns needs them, and torch with them.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.nn import functional

from scansion.heads.catalogue import Head
from scansion.heads.multiclass import MulticlassHead


def row_losses(head: Head, logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """logits (B, K), targets (B, ...) as the head encodes them -> (B,)."""
    return LOSSES[head.kind](head, logits, targets, smoothing)


def cross_entropy(head: MulticlassHead, logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Of the softmax or, with one logit for two labels, of the sigmoid."""
    if head.size == 1:
        wanted = targets.to(logits.dtype) * (1 - smoothing) + smoothing / 2
        return functional.binary_cross_entropy_with_logits(logits[:, 0], wanted, reduction="none")
    return functional.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="none")


def binary_cross_entropy(head: Head, logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Averaged over labels."""
    wanted = targets * (1 - smoothing) + smoothing / 2
    return functional.binary_cross_entropy_with_logits(logits, wanted.to(logits.dtype), reduction="none").mean(1)


def half_squared_error(head: Head, logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """A number has no labels to smooth."""
    return 0.5 * (logits[:, 0] - targets).square()


LOSSES: dict[str, Callable[[Any, Tensor, Tensor, float], Tensor]] = {
    "multiclass": cross_entropy, "multilabel": binary_cross_entropy, "regression": half_squared_error,
}
