"""A reader: a family's network, pooled, under a head.  What the one loop trains for documents."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from scansion.families.catalogue import ReadingFamily
from scansion.heads.catalogue import Head
from scansion.layers.dropout import Dropout
from scansion.layers.embedding import Lexicon
from scansion.layers.pooling import WordSum
from scansion.learning.replicas import side_by_side
from scansion.text.batches import Sequences, collate, reading_plan
from scansion.text.vocabulary import Spelling

READING_BUDGET = 8_192  # tokens at a time when nothing has to be kept for a backward pass


@dataclass(frozen=True)
class Examples:
    """Sequences with their answers: ``targets`` as the head encodes them, ``weights (N,)``."""

    sequences: Sequences
    targets: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.sequences)

    def batch(self, rows: np.ndarray) -> "ReaderBatch":
        """The given rows as tensors."""
        padded = collate(self.sequences, rows)
        return ReaderBatch(
            torch.from_numpy(padded.tokens),
            torch.from_numpy(padded.mask),
            torch.from_numpy(self.targets[rows]),
            torch.from_numpy(self.weights[rows].astype(np.float32)),
        )


@dataclass(frozen=True)
class ReaderBatch:
    """tokens (B, L), mask (B, L), targets (B, ...), weights (B,)."""

    tokens: Tensor
    mask: Tensor
    targets: Tensor
    weights: Tensor


class Reader(nn.Module):
    """tokens -> family -> pooling -> scores.

    With ``words_beside`` the network, the head sees the sum of the word vectors too: layers do not pass on how loud a
    word is, and maxima drown it.  It begins with zeros there, since few answers do not move what chance put in their
    place.
    """

    def __init__(
        self, family: ReadingFamily, words: int, pieces: int, head: Head, smoothing: float, words_beside: bool
    ) -> None:
        super().__init__()
        self.head, self.smoothing = head, smoothing
        self.network = family.build(words, pieces)
        self.pooling = family.pooling()
        self.dropout = Dropout(family.dropout)
        self.words = WordSum() if words_beside else None
        self.scores = nn.Linear((self.pooling.parts + words_beside) * family.width, head.size)
        nn.init.zeros_(self.scores.bias)
        nn.init.zeros_(self.scores.weight[:, self.pooling.parts * family.width :])

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(B, L), (B, L) -> (B, head.size)."""
        return self.scores(self.vectors(tokens, mask))

    def vectors(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(B, L), (B, L) -> (B, 2D) and more, by the family's pooling and with words beside; before the head."""
        if self.words is None:
            return self.dropout(self.pooling(self.network(tokens, mask), mask))
        words = self.network.embedding(tokens)
        pooled = self.dropout(self.pooling(self.network.read(words, mask), mask))
        return torch.cat([pooled, self.words(words, tokens, mask)], dim=-1)

    def use(self, spelling: Spelling) -> None:
        """From now on tokens are those of this spelling."""
        arrays = (spelling.words, spelling.pieces, spelling.borders)
        self.network.embedding.lexicon = Lexicon(*(torch.from_numpy(np.array(array)) for array in arrays))

    def reading(self, spelling: Spelling) -> "Reader":
        """A reader of the same weights for tokens of this spelling; this one stays as it is, for other threads."""
        reader = _twin(self)
        reader.network = _twin(self.network)
        reader.network.embedding = _twin(self.network.embedding)
        reader.use(spelling)
        return reader

    def loss(self, batch: ReaderBatch) -> Tensor:
        """The weighted sum of the head's losses over the batch's rows, a scalar."""
        losses = self.head.loss(self(batch.tokens, batch.mask), batch.targets, self.smoothing)
        return (losses * batch.weights).sum()


def _twin(module: nn.Module) -> nn.Module:
    """A module of the same weights and parts, whose parts can be exchanged."""
    twin = copy.copy(module)
    twin._modules = module._modules.copy()
    return twin


def with_network(reader: Reader, network: nn.Module) -> Reader:
    """The same reader with another network in place of its own."""
    found = _twin(reader)
    found.network = network
    return found


def build_reader(
    family: ReadingFamily, words: int, pieces: int, head: Head, smoothing: float, seed: int, words_beside: bool
) -> Reader:
    """A reader whose first weights are a function of the seed; torch's own random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Reader(family, words, pieces, head, smoothing, words_beside)


def read(reader: Reader, sequences: Sequences, longest: int | None = None) -> np.ndarray:
    """The scores of every row, (N, K) float32, in the order given.

    Rows longer than ``longest`` are read in windows of that size that overlap by half; a row's scores are then the
    mean of its windows' scores, weighted by their lengths.
    """
    return _by_windows(reader, reader, reader.head.size, sequences, longest)


def pooled(reader: Reader, sequences: Sequences, longest: int | None = None) -> np.ndarray:
    """The vectors that the head sees, (N, 2D) or more, float32; of long rows as in :func:`read`."""
    return _by_windows(reader, reader.vectors, reader.scores.in_features, sequences, longest)


def _by_windows(
    reader: Reader, made: Callable[[Tensor, Tensor], Tensor], width: int, sequences: Sequences, longest: int | None
) -> np.ndarray:
    windows, owners = cut_windows(sequences, longest)
    found = np.zeros((len(windows), width), np.float32)
    reader.eval()

    def made_of(rows: np.ndarray) -> Tensor:
        padded = collate(windows, rows)
        with torch.inference_mode():
            return made(torch.from_numpy(padded.tokens), torch.from_numpy(padded.mask))

    plan = reading_plan(windows.lengths, reading_budget(reader.network))
    for rows, each in zip(plan, side_by_side(made_of, plan), strict=True):
        found[rows] = each.numpy()
    return found if len(windows) == len(sequences) else averaged(found, windows.lengths, owners, len(sequences))


def reading_budget(network: nn.Module) -> int:
    """Tokens to read at a time: the network's own wish, or so many that nothing is gained by more."""
    return getattr(network, "tokens_at_a_time", READING_BUDGET)


def averaged(found: np.ndarray, lengths: np.ndarray, owners: np.ndarray, rows: int) -> np.ndarray:
    """What was found for windows (W, K) as what it is for rows (N, K): the mean, weighted by the windows' lengths."""
    sums, totals = np.zeros((rows, found.shape[1])), np.zeros(rows)
    shares = np.maximum(lengths, 1)  # an empty row is a token too
    np.add.at(sums, owners, found * shares[:, None])
    np.add.at(totals, owners, shares)
    return (sums / totals[:, None]).astype(np.float32)


def cut_windows(sequences: Sequences, longest: int | None) -> tuple[Sequences, np.ndarray]:
    """Rows of at most ``longest`` tokens, and which row each came from; the last window ends where its row ends."""
    if longest is None or len(sequences) == 0 or sequences.lengths.max() <= longest:
        return sequences, np.arange(len(sequences))
    stride = longest // 2
    counts = 1 + np.maximum(0, -(-(sequences.lengths - longest) // stride))
    owners = np.repeat(np.arange(len(sequences)), counts)
    number = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    lengths = np.minimum(sequences.lengths[owners], longest)
    begins = np.minimum(number * stride, sequences.lengths[owners] - lengths)
    return replace(sequences, starts=sequences.starts[owners] + begins, lengths=lengths), owners
