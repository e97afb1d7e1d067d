"""A document network: an encoder, pooled, under a head.  What the one loop trains for documents."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scansion.heads.catalogue import Head
from scansion.heads.losses import row_losses
from scansion.layers.dropout import Dropout
from scansion.layers.pooling import WordSum
from scansion.learning.optimizer import others_of
from scansion.learning.thread_pool import map_in_threads, threads_for
from scansion.text.batches import Sequences, collate, reading_plan
from scansion.text.vocabulary import SubwordIndex

READING_BUDGET = 8_192  # tokens at a time when nothing has to be kept for a backward pass


@dataclass(frozen=True)
class DocumentBatch:
    """tokens (B, L), mask (B, L), targets (B, ...), weights (B,)."""

    tokens: Tensor
    mask: Tensor
    targets: Tensor
    weights: Tensor


class DocumentNetwork(nn.Module):
    """tokens -> encoder -> pooling -> logits.

    With ``word_sum`` the head also sees the sum of the word vectors, which layers and maxima do not pass on.  Its
    weights there begin at zero, since few answers do not move what chance put in their place.
    """

    def __init__(
        self, family: Any, words: int, char_ngrams: int, head: Head, smoothing: float, word_sum: bool
    ) -> None:
        super().__init__()
        self.head, self.smoothing = head, smoothing
        self.encoder = family.build(words, char_ngrams)
        self.pooling = family.pooling()
        self.dropout = Dropout(family.dropout)
        self.word_sum = WordSum() if word_sum else None
        self.output = nn.Linear((self.pooling.parts + word_sum) * family.width, head.size)
        nn.init.zeros_(self.output.bias)
        nn.init.zeros_(self.output.weight[:, self.pooling.parts * family.width :])

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Logits: (B, L), (B, L) -> (B, head.size)."""
        return self.output(self.features(tokens, mask))

    def features(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """What the head sees: (B, L), (B, L) -> (B, 2D) or more, by the family's pooling and with the word sum."""
        if self.word_sum is None:
            return self.dropout(self.pooling(self.encoder(tokens, mask), mask))
        words = self.encoder.embedding(tokens)
        pooled = self.dropout(self.pooling(self.encoder.read(words, mask), mask))
        return torch.cat([pooled, self.word_sum(words, tokens, mask)], dim=-1)

    def loss(self, batch: DocumentBatch) -> Tensor:
        """The weighted sum of the head's losses over the batch's rows, a scalar."""
        logits = self.output(self.features(batch.tokens, batch.mask))
        return (row_losses(self.head, logits, batch.targets, self.smoothing) * batch.weights).sum()

    def use(self, index: SubwordIndex) -> None:
        """From now on tokens are those of this index."""
        self.encoder.embedding.use(index.words, index.char_ngrams, index.offsets)

    def using(self, index: SubwordIndex) -> "DocumentNetwork":
        """A network of the same weights for tokens of this index; this one stays as it is, for other threads."""
        network = twin(self)
        network.encoder = twin(self.encoder)
        network.encoder.embedding = twin(self.encoder.embedding)
        network.use(index)
        return network

    def with_encoder(self, encoder: nn.Module) -> "DocumentNetwork":
        """The same network with another encoder in place of its own."""
        network = twin(self)
        network.encoder = encoder
        return network


def twin(module: Any) -> Any:
    """A module of the same weights and parts, whose parts can be exchanged."""
    made = copy.copy(module)
    made._modules = module._modules.copy()
    return made


def build_document_network(
    family: Any, words: int, char_ngrams: int, head: Head, smoothing: float, seed: int, word_sum: bool
) -> DocumentNetwork:
    """A network whose first weights are a function of the seed; torch's own random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DocumentNetwork(family, words, char_ngrams, head, smoothing, word_sum)


def logits_of(network: DocumentNetwork, sequences: Sequences, max_length: int | None = None) -> np.ndarray:
    """The logits of every row, (N, K) float32, in the order given.

    Rows longer than ``max_length`` are read in windows of that size that overlap by half; a row's logits are then the
    mean of its windows' logits, weighted by their lengths.
    """
    return _by_windows(network, network, network.head.size, sequences, max_length)


def features_of(network: DocumentNetwork, sequences: Sequences, max_length: int | None = None) -> np.ndarray:
    """What the head sees of every row, (N, 2D) or more, float32; of long rows as in :func:`logits_of`."""
    return _by_windows(network, network.features, network.output.in_features, sequences, max_length)


def _by_windows(
    network: DocumentNetwork, made: Callable[[Tensor, Tensor], Tensor], width: int, sequences: Sequences,
    max_length: int | None,
) -> np.ndarray:
    windows, owners = cut_windows(sequences, max_length)
    found = np.zeros((len(windows), width), np.float32)
    network.eval()

    def made_of(rows: np.ndarray) -> Tensor:
        padded = collate(windows, rows)
        with torch.inference_mode():
            return made(torch.from_numpy(padded.tokens), torch.from_numpy(padded.mask))

    plan = reading_plan(windows.lengths, reading_budget(network.encoder))
    threads = threads_for(sum(each.numel() for each in others_of(network)), int(windows.lengths.sum()))
    for rows, each in zip(plan, map_in_threads(made_of, plan, threads), strict=True):
        found[rows] = each.numpy()
    return found if len(windows) == len(sequences) else averaged(found, windows.lengths, owners, len(sequences))


def reading_budget(encoder: nn.Module) -> int:
    """Tokens to read at a time: as many as the encoder asks for, or so many that nothing is gained by more."""
    return getattr(encoder, "tokens_at_a_time", READING_BUDGET)


def averaged(found: np.ndarray, lengths: np.ndarray, owners: np.ndarray, rows: int) -> np.ndarray:
    """What was found for windows (W, K) as what it is for rows (N, K): the mean, weighted by the windows' lengths."""
    sums, totals = np.zeros((rows, found.shape[1])), np.zeros(rows)
    shares = np.maximum(lengths, 1)  # an empty row is a token too
    np.add.at(sums, owners, found * shares[:, None])
    np.add.at(totals, owners, shares)
    return (sums / totals[:, None]).astype(np.float32)


def cut_windows(sequences: Sequences, max_length: int | None) -> tuple[Sequences, np.ndarray]:
    """Rows of at most ``max_length`` tokens, and which row each came from; the last window ends where its row ends."""
    if max_length is None or len(sequences) == 0 or sequences.lengths.max() <= max_length:
        return sequences, np.arange(len(sequences))
    stride = max_length // 2
    counts = 1 + np.maximum(0, -(-(sequences.lengths - max_length) // stride))
    owners = np.repeat(np.arange(len(sequences)), counts)
    number = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    lengths = np.minimum(sequences.lengths[owners], max_length)
    begins = np.minimum(number * stride, sequences.lengths[owners] - lengths)
    return replace(sequences, starts=sequences.starts[owners] + begins, lengths=lengths), owners
