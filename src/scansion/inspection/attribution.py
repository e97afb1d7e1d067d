"""Why a model answered: what each token of a text adds to the score of an answer.

Where vectors are counted this is exact: a dimension's share of the score goes to the tokens it is made of.  Where they
are learned it is an integrated gradient (Sundararajan et al. 2017, section 3): the slope of the score along the
straight way from a text of hidden words to this one,

    contribution_i = (x_i - h) . integral over a in [0, 1] of  d score / d x_i  at  h + a (x - h)

by Gauss-Legendre quadrature, in as many parts as it takes for the contributions to add up.  What they miss the score
by, and what happens when the tokens they name are removed, stands beside them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from scansion.errors import UsageError, did_you_mean
from scansion.heads.catalogue import Head
from scansion.inspection.model_inputs import ModelInput, Window, model_input
from scansion.models.document_models import DocumentModel, SparseLinearModel
from scansion.randomness import stream
from scansion.text.word_tokenizer import read_words

NODES = 16
PARTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # of the way: pooling by maxima has corners, which no single rule likes
ENOUGH = 0.002  # of what the tokens have to explain
PRECISION = 1e-6  # of the score: sums in float32 do not come nearer
TOKENS_AT_A_TIME = 4_096
REMOVED = 5
RANDOM_DRAWS = 20
MOST_REMOVALS = 48


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
class Explained:
    """Contributions (L,) to the scores of the head's output, its base and its value."""

    contributions: np.ndarray
    base: float
    score: float


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
    model: DocumentModel, answer: Answer, text: str, read: ModelInput | None = None
) -> Explanation:
    """What every token of the text adds to the answer's score; ``read`` is the model's input of it, if at hand."""
    tokens = model.tokens(text)
    found = _explained(model, text, answer.output, read)
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


def _explained(model: Any, text: str, output: int, read: ModelInput | None) -> Explained:
    read = model_input(model, text) if read is None else read
    if read is None:
        return _counted(model, text, output)
    contributions, base, score = np.zeros(len(read.tokens)), 0.0, 0.0
    for window in read.windows():  # a long text's logits are the mean of its windows', weighted by their lengths
        found = _integrated(read, window, output)
        part = slice(window.first, window.first + len(found.contributions))
        contributions[part] += window.share * found.contributions
        base, score = base + window.share * found.base, score + window.share * found.score
    return Explained(contributions, base, score)


def _counted(model: SparseLinearModel, text: str, output: int) -> Explained:
    """Exactly: each dimension's part of the logit, shared among the tokens it is made of."""
    corpus = read_words([text], rule=model.word_rule)
    vector = model.vectors.vectors(corpus)
    bias, score = float(model.linear.bias[output]), float(model.linear.logits(vector)[0, output])
    vector.data = vector.data * model.linear.weights[vector.indices, output]
    return Explained((vector @ model.vectors.shares(corpus)).toarray()[0], bias, score)


def _integrated(read: ModelInput, window: Window, output: int) -> Explained:
    """Integrated gradients of a window's own tokens."""
    with torch.no_grad():
        here, there = read.embedding(read.masked(window)), read.embedding(window.tokens)  # (1, L, D)
        base, score = (float(read.logits_from(vectors, window)[0, output]) for vectors in (here, there))
    enough = max(ENOUGH * abs(score - base), PRECISION * max(1.0, abs(score)))
    nodes, weights_of_nodes = np.polynomial.legendre.leggauss(NODES)
    for parts in PARTS:
        places = ((nodes + 1) / 2 + np.arange(parts)[:, None]) / parts  # (parts, NODES)
        shares = torch.from_numpy(places.ravel()).float()
        weights = torch.from_numpy(np.tile(weights_of_nodes / (2 * parts), parts)).float()
        slopes = torch.zeros_like(here[0])
        at_a_time = max(1, TOKENS_AT_A_TIME // window.tokens.shape[1])
        for part, weight in zip(shares.split(at_a_time), weights.split(at_a_time), strict=True):
            vectors = (here + part[:, None, None] * (there - here)).requires_grad_()
            (slope,) = torch.autograd.grad(read.logits_from(vectors, window)[:, output].sum(), vectors)
            slopes += (slope * weight[:, None, None]).sum(dim=0)
        found = ((there[0] - here[0]) * slopes).sum(dim=1).double().numpy()[window.inside]
        if abs(base + found.sum() - score) <= enough:
            break
    return Explained(found, base, score)
