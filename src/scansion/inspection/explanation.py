"""Why a model answered: what each token of a text adds to the score of an answer.

Where features are counted this is exact (:mod:`scansion.inspection.attribution`), where they are learned it is an
integrated gradient (:mod:`scansion.inspection.integrated_gradients`).  What the contributions miss the score by, and
what happens when the tokens they name are removed, stands beside them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scansion.deferred import deferred
from scansion.errors import UsageError, did_you_mean
from scansion.heads.catalogue import Head
from scansion.inspection.attribution import Explained, counted_attribution
from scansion.models.document_models import DocumentModel
from scansion.randomness import stream

REMOVED = 5
RANDOM_DRAWS = 20
MOST_REMOVALS = 48

learned_attribution = deferred("scansion.inspection.integrated_gradients", "learned_attribution")
ATTRIBUTIONS: dict[str, Callable[[Any, str, int, Any], Explained]] = {
    "counted": counted_attribution, "trained": learned_attribution, "frozen": learned_attribution,
    "fine-tuned": learned_attribution,
}
"""By the kind of model."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """What each token of a text adds to the score of one answer."""

    text: str
    answer: str
    """Whose score it is: a label, or "number"."""
    tokens: list[str]
    offsets: list[tuple[int, int]]
    """Where each token stands in the text, in characters."""
    contributions: np.ndarray
    """(L,) float64; positive for the answer.  They and the base add up to the score, but for the error."""
    base: float
    """The score of nothing: without counted words, or with every word hidden."""
    score: float
    """The answer's: a logarithm of odds for one of two labels or a label of several, of more labels the head's own, and
    of a number itself."""
    completeness_error: float
    """How much of what the tokens have to explain they do not, as a share of it."""
    probability: float | None
    """The answer's; None for a number."""
    removed: float
    """How much the probability (of a number: the score) falls without the five tokens that add most."""
    removed_at_random: tuple[float, ...]
    """How much it falls without five tokens drawn at random, for each of several draws."""


@dataclass(frozen=True)
class Answer:
    """One answer of a head: whose score is looked at."""

    head: Head
    output: int
    """The head's output that is in favour of it or, with a ``sign`` of -1, against it."""
    sign: float
    label: bool | int | float | str | None
    """None for a number."""

    @property
    def name(self) -> str:
        """As it is shown."""
        return "number" if self.label is None else str(self.label)

    def value(self, logits: np.ndarray) -> np.ndarray:
        """Its probability, or the number, from the head's logits (N, K): (N,)."""
        return self.head.value(logits, self.output, self.sign)

    def support(self, logits: np.ndarray) -> np.ndarray:
        """The logarithm of its probability, or the number, (N,)."""
        return self.head.support(logits, self.output, self.sign)


def answer_of(head: Head, logits: np.ndarray, wanted: object) -> Answer:
    """The answer that is wanted, or if that is None the one the logits (1, K) give. UsageError if there is none."""
    if head.kind == "regression":
        if wanted is not None:
            raise UsageError(f"This model answers with numbers; {wanted!r} is no answer of its. Leave the answer out.")
        return Answer(head, 0, 1.0, None)
    if wanted is None:
        number = int(head.probabilities(logits)[0].argmax())
    elif wanted in head.labels:
        number = head.labels.index(wanted)
    else:
        known = [str(label) for label in head.labels]
        raise UsageError(f"This model has no label {wanted!r}{did_you_mean(str(wanted), known)}")
    label = head.labels[number]
    if head.kind == "multiclass" and head.size == 1:
        return Answer(head, 0, 1.0 if number == 1 else -1.0, label)
    return Answer(head, number, 1.0, label)


def explanation(
    model: DocumentModel, answer: Answer, text: str, read: Any = None
) -> Explanation:
    """What every token of the text adds to the answer's score; ``read`` is the model's input of it, if at hand."""
    tokens = model.tokens(text)
    found = ATTRIBUTIONS[model.kind](model, text, answer.output, read)
    unit, zero = answer.head.scale(answer.sign)
    contributions, base, score = unit * found.contributions, unit * found.base + zero, unit * found.score + zero
    left = abs(base + contributions.sum() - score) / max(abs(score - base), abs(unit) * np.finfo(np.float32).eps)
    offsets = [place for _, place in tokens]
    most = np.argsort(-contributions, kind="stable")[:REMOVED]
    random = stream(0, "removed tokens")
    draws = [random.permutation(len(tokens))[:REMOVED] for _ in range(RANDOM_DRAWS)]
    values = answer.value(model.logits([text, *(without(text, offsets, some) for some in (most, *draws))]))
    falls = (values[0] - values[1:]).tolist()
    return Explanation(
        text, answer.name, [token for token, _ in tokens], offsets, contributions, base, score, float(left),
        None if answer.head.kind == "regression" else float(values[0]), falls[0], tuple(falls[1:]),
    )


def removed_together(words: int) -> list[np.ndarray]:
    """The numbers of the words to take out of a text at a time: each alone or, of many, neighbours."""
    return np.array_split(np.arange(words), min(words, MOST_REMOVALS)) if words else []


def without(text: str, offsets: list[tuple[int, int]], removed: np.ndarray) -> str:
    """The text without some of its tokens."""
    kept, reached = [], 0
    for number in sorted(removed.tolist()):
        start, end = offsets[number]
        kept.append(text[reached : max(reached, start)])
        reached = max(reached, end)
    return "".join([*kept, text[reached:]])
