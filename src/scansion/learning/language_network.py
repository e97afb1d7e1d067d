"""A language model as the one loop trains it, and as it scores documents: a family under the next-token head.

Documents stand in a stream, each between BEGIN and END.  What is read at a time is a window of one of them.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scansion.heads.next_token import NextToken
from scansion.text.batches import Batch, Sequences, collate, reading_plan

READING_BUDGET = 4_096  # positions at a time: their logits are as wide as the vocabulary


class LanguageNetwork(nn.Module):
    """The tokens before -> the next one."""

    def __init__(self, family: Any, vocab_size: int, smoothing: float) -> None:
        super().__init__()
        self.smoothing = smoothing
        self.network = family.build(vocab_size)
        self.head = NextToken(vocab_size, getattr(family, "output_bias", True))

    @property
    def carries_on(self) -> bool:
        """Whether the next batch depends on this one."""
        carries: bool = self.network.carries_on
        return carries

    def loss(self, batch: Batch) -> Tensor:
        """The loss summed over all tokens of the windows but each first, a scalar."""
        tokens, real = torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask[:, 1:])
        vectors = self.network.following(tokens[:, :-1], batch)[real]
        return self.head.loss(vectors, self.network.output_embedding, tokens[:, 1:][real], self.smoothing)

    def log_probabilities(self, batch: Batch) -> Tensor:
        """Of every token of the windows but each first, (B, L - 1); of padding anything."""
        tokens, begin, found = torch.from_numpy(batch.tokens), 0, []
        for vectors in self.network.pieces(tokens[:, :-1]):
            wanted = tokens[:, begin + 1 : begin + 1 + vectors.shape[1]]
            log_probs = self.head.log_probs(vectors.flatten(0, 1), self.network.output_embedding)
            found.append(log_probs.gather(1, wanted.flatten()[:, None]).view(wanted.shape))
            begin += vectors.shape[1]
        return torch.cat(found, dim=1)

    def step(self, last: Tensor, state: Any) -> tuple[Tensor, Any]:
        """(N,) -> log-probabilities of the next token (N, V), and the state after."""
        vectors, state = self.network.step(last, state)
        return self.head.log_probs(vectors, self.network.output_embedding), state

    def stepping(self) -> Callable[[Tensor, Any], tuple[Tensor, Any]]:
        """The same for many steps: the weights of the output are laid out once as a row reads them fastest."""
        output = self.network.output_embedding.detach().t().contiguous().t()

        def step(last: Tensor, state: Any) -> tuple[Tensor, Any]:
            vectors, state = self.network.step(last, state)
            return self.head.log_probs(vectors, output), state

        return step


def build_language(family: Any, vocab_size: int, smoothing: float, seed: int) -> LanguageNetwork:
    """A model whose first weights are a function of the seed; torch's own random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LanguageNetwork(family, vocab_size, smoothing)


def with_weights(model: LanguageNetwork, weights: Mapping[str, NDArray], inside: str = "") -> LanguageNetwork:
    """The model with the given weights, ready to score and write; ``inside`` stands before their names."""
    model.load_state_dict({inside + name: torch.from_numpy(array) for name, array in weights.items()})
    return model.eval()


def windows_of(sequences: Sequences, size: int | None, stride: int) -> tuple[Sequences, NDArray]:
    """Windows of the rows, and the first token of each that is new, (W,).

    A window begins with a token that nothing is foretold of and has ``size`` more at most, None for all; the next one
    of the same row begins ``stride`` tokens later.  The last ends with its row.
    """
    if size is None:
        return sequences, np.ones(len(sequences), np.int64)
    foretold = np.maximum(sequences.lengths - 1, 0)
    count = np.where(foretold > 0, 1 + -(-np.maximum(foretold - size, 0) // stride), 0)
    rows = np.repeat(np.arange(len(sequences)), count)
    number = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    begins = number * stride
    lengths = np.minimum(size, foretold[rows] - begins) + 1
    new = np.where(number > 0, size - stride + 1, 1)
    return Sequences(sequences.ids, sequences.starts[rows] + begins, lengths, sequences.first), new


@torch.inference_mode()
def score_windows(model: LanguageNetwork, windows: Sequences, new: NDArray) -> NDArray:
    """The log-probability of each token of the stream that is new in a window, (N,); 0 of all others."""
    found = np.zeros(len(windows.ids))
    model.eval()
    for rows in reading_plan(windows.lengths, READING_BUDGET):
        batch = collate(windows, rows)
        scores = model.log_probabilities(batch).numpy()
        at = np.arange(1, batch.tokens.shape[1])
        wanted = batch.mask[:, 1:] & (at >= new[rows][:, None])
        found[(windows.starts[rows][:, None] + at)[wanted]] = scores[wanted]
    return found
