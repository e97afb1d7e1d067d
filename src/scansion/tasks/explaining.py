"""Why a model answered: what each token of a text adds to the score of an answer.

Where vectors are counted this is exact: a dimension's share of the score goes to the tokens it is made of.  Where they
are learned it is an integrated gradient (Sundararajan et al. 2017, section 3): the slope of the score along the
straight way from a text of hidden words to this one,

    contribution_i = (x_i - h) . integral over a in [0, 1] of  d score / d x_i  at  h + a (x - h)

by Gauss-Legendre quadrature, with as many nodes as it takes for the contributions to add up.  What they miss the score
by, and what happens when the tokens they name are removed, stands beside them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from scansion.errors import UsageError, did_you_mean
from scansion.families.bert import BertReader
from scansion.heads.catalogue import Head
from scansion.learning.reader import cut_windows
from scansion.randomness import stream
from scansion.tasks.models import CountedModel, Model, ReadModel, TunedModel
from scansion.text.batches import UNKNOWN, Sequences, collate
from scansion.text.words import read_words, split_words

NODES = (16, 32, 64, 128, 256, 512, 1024)
ENOUGH = 0.002  # of what the tokens have to explain
TOKENS_AT_A_TIME = 4_096
REMOVED = 5
RANDOM_DRAWS = 20


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
    """The answer's: a logarithm of odds for one of two labels or a label of several, else the head's own."""
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


def explanation(
    model: Model, head: Head, text: str, answer: object, scores_of: Callable[[list[str]], np.ndarray]
) -> Explanation:
    """The explanation of an answer, by default the one the model gives; ``scores_of`` is the model's (N, K) scores."""
    output, sign, name = _chosen(head, scores_of([text]), answer)
    tokens = _tokens(model, text)
    found = _explained(model, text, output)
    contributions, base, score = sign * found.contributions, sign * found.base, sign * found.score
    left = abs(base + contributions.sum() - score) / max(abs(score - base), np.finfo(np.float32).eps)
    offsets = [place for _, place in tokens]

    def value(texts: list[str]) -> np.ndarray:
        return _value(head, scores_of(texts), output, sign)

    whole = float(value([text])[0])
    most = np.argsort(-contributions, kind="stable")[:REMOVED]
    random = stream(0, "removed tokens")
    draws = [random.permutation(len(tokens))[:REMOVED] for _ in range(RANDOM_DRAWS)]
    without = value([_without(text, offsets, some) for some in (most, *draws)])
    falls = (whole - without).tolist()
    return Explanation(
        text, name, [token for token, _ in tokens], offsets, contributions, base, score, float(left),
        None if head.kind == "regression" else whole, falls[0], tuple(falls[1:]),
    )


def _chosen(head: Head, scores: np.ndarray, answer: object) -> tuple[int, float, str]:
    """The output to explain, the sign with which it speaks for the answer, and the answer's name."""
    if head.kind == "regression":
        return 0, 1.0, "number"
    if answer is None:
        number = int(head.probabilities(scores)[0].argmax())
    elif answer in head.labels:
        number = head.labels.index(answer)
    else:
        known = [str(label) for label in head.labels]
        raise UsageError(f"This model has no label {answer!r}{did_you_mean(str(answer), known)}")
    name = str(head.labels[number])
    if head.kind == "multiclass" and head.size == 1:
        return 0, 1.0 if number == 1 else -1.0, name
    return number, 1.0, name


def _value(head: Head, scores: np.ndarray, output: int, sign: float) -> np.ndarray:
    """What is said to fall: the answer's probability, or the number."""
    if head.kind == "regression":
        return head.decide(scores)
    shares = head.probabilities(scores)
    if head.kind == "multiclass" and head.size == 1:
        return shares[:, -1] if sign > 0 else shares[:, 0]
    return shares[:, output]


def _tokens(model: Model, text: str) -> list[tuple[str, tuple[int, int]]]:
    if isinstance(model, CountedModel | ReadModel):
        return [(text[start:end], (start, end)) for start, end in split_words(text)]
    return model.tokens.pieces(text)


def _without(text: str, offsets: list[tuple[int, int]], removed: np.ndarray) -> str:
    """The text without some of its tokens."""
    kept, reached = [], 0
    for number in sorted(removed.tolist()):
        start, end = offsets[number]
        kept.append(text[reached : max(reached, start)])
        reached = max(reached, end)
    return "".join([*kept, text[reached:]])


def _explained(model: Model, text: str, output: int) -> Explained:
    if isinstance(model, CountedModel):
        corpus = read_words([text])
        vector = model.family.vectors(corpus)
        bias, score = float(model.linear.bias[output]), float(model.linear.scores(vector)[0, output])
        vector.data = vector.data * model.linear.weights[vector.indices, output]
        return Explained((vector @ model.family.shares(corpus)).toarray()[0], bias, score)
    if isinstance(model, ReadModel):
        corpus = read_words([text])
        reader = model.reader.reading(model.vocabulary.spell(corpus.types))
        sequences, way = model.vocabulary.encode(corpus), _Way(reader, reader.network.embedding, UNKNOWN, output)
        return _integrated(way, sequences, model.longest)
    sequences = model.tokens.encode([text])
    if isinstance(model, TunedModel):
        way = _Way(model.reader, model.reader.network.words, model.tokens.hidden, output)
        return _integrated(way, sequences, model.longest)
    frozen = _Frozen(model.family.encoder.network, model, output)
    return _integrated(
        _Way(frozen, frozen.network.words, model.tokens.hidden, 0), sequences, model.family.encoder.longest
    )


class _Frozen(nn.Module):
    """A frozen encoder and its linear head as one network: tokens (B, L), mask (B, L) -> the output's scores (B, 1)."""

    def __init__(self, network: BertReader, model: Model, output: int) -> None:
        super().__init__()
        self.network = network
        family, linear = model.family, model.linear
        slope = linear.weights[:, output] / family.deviation / len(family.mean) ** 0.5
        self.slope = torch.from_numpy(slope).float()
        self.offset = float(linear.bias[output] - slope @ family.mean)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        means = (self.network(tokens, mask) * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return (means @ self.slope + self.offset)[:, None]


def _integrated(way: "_Way", sequences: Sequences, longest: int | None) -> Explained:
    """Integrated gradients of one text; of a long one, those of its windows, weighted as its score is."""
    windows, _ = cut_windows(sequences, longest)
    contributions, base, score = np.zeros(int(sequences.lengths[0])), 0.0, 0.0
    shares = np.maximum(windows.lengths, 1) / np.maximum(windows.lengths, 1).sum()
    for row, share in enumerate(shares):
        found = way.explained(windows, row)
        begin = int(windows.starts[row] - sequences.starts[0])
        contributions[begin : begin + len(found.contributions)] += share * found.contributions
        base, score = base + share * found.base, score + share * found.score
    return Explained(contributions, base, score)


@dataclass(frozen=True)
class _Way:
    """The straight way from hidden words to those of a text, in place of what a network's embedding gives."""

    reader: nn.Module
    embedding: nn.Module
    hidden: int | None
    output: int

    def explained(self, sequences: Sequences, row: int) -> Explained:
        """One row; its frame stays what it is."""
        batch = collate(sequences, np.array([row]))
        tokens, mask = torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask)
        first = 0 if sequences.frame is None else 1
        inside = slice(first, first + int(sequences.lengths[row]))
        covered = tokens.clone()
        covered[:, inside] = UNKNOWN if self.hidden is None else self.hidden
        self.reader.eval()
        with torch.no_grad():
            here, there = self.embedding(covered), self.embedding(tokens)  # (1, L, D)
            base, score = (float(self._scores(vectors, tokens, mask)) for vectors in (here, there))
        for nodes in NODES:
            found = self._sums(here, there, tokens, mask, nodes)
            if abs(base + found.sum() - score) <= ENOUGH * abs(score - base):
                break
        return Explained(found[inside], base, score)

    def _sums(self, here: Tensor, there: Tensor, tokens: Tensor, mask: Tensor, nodes: int) -> np.ndarray:
        """Each position's contribution (L,), from so many points of the way."""
        places, weights = np.polynomial.legendre.leggauss(nodes)
        shares, weights = torch.from_numpy((places + 1) / 2).float(), torch.from_numpy(weights / 2).float()
        slopes = torch.zeros_like(here[0])
        at_a_time = max(1, TOKENS_AT_A_TIME // tokens.shape[1])
        for part, weight in zip(shares.split(at_a_time), weights.split(at_a_time), strict=True):
            vectors = (here + part[:, None, None] * (there - here)).requires_grad_()
            (slope,) = torch.autograd.grad(self._scores(vectors, tokens, mask).sum(), vectors)
            slopes += (slope * weight[:, None, None]).sum(dim=0)
        return ((there[0] - here[0]) * slopes).sum(dim=1).double().numpy()

    def _scores(self, vectors: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        rows = len(vectors)
        hook = self.embedding.register_forward_hook(lambda *_: vectors)
        try:
            return self.reader(tokens.expand(rows, -1), mask.expand(rows, -1))[:, self.output]
        finally:
            hook.remove()
