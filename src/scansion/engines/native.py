"""Many sentences through a writer: sorted by length, cut by a budget of tokens, and back in the order they came."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from scansion.decoding.beam import beam_search, most_tokens
from scansion.decoding.sampling import sample
from scansion.decoding.state import Hypothesis, State
from scansion.engines.engine import Engine
from scansion.learning.replicas import side_by_side
from scansion.learning.writer import Writer, batch_of
from scansion.text.batches import Sequences, reading_plan
from scansion.text.pairs import Pairs
from scansion.text.subwords import BEGIN, END, Subwords

POSITIONS_AT_A_TIME = 1_024  # of sources; each has a beam of hypotheses

T = TypeVar("T")


class Native(Engine):
    """The project's own decoder, in this process."""

    def __init__(self, writer: Writer, subwords: Subwords) -> None:
        self.writer, self.subwords = writer, subwords

    def sample(self, texts: Iterable[str], temperature: float, likeliest: int | None, seed: int) -> list[str]:
        """A translation of each text drawn at random; see :func:`scansion.decoding.sampling.sample`."""

        def draw(state: State, rows: np.ndarray, most: Tensor) -> list[Hypothesis]:
            return sample(
                self.writer.step, state, rows.tolist(), most, BEGIN, END, seed=seed, temperature=temperature,
                likeliest=likeliest,
            )

        return self.subwords.decode([each.tokens for each in self._each(self.subwords.encode(texts), draw)])

    def hypotheses(self, sources: Sequences, beam: int, alternatives: int) -> list[list[Hypothesis]]:
        """See :class:`scansion.engines.engine.Engine`."""

        def search(state: State, rows: np.ndarray, most: Tensor) -> list[list[Hypothesis]]:
            found = beam_search(self.writer.step, state, len(rows), beam, most, BEGIN, END)
            return [each[:alternatives] or [Hypothesis([], float("-inf"), float("-inf"))] for each in found]

        return self._each(sources, search)

    def _each(self, sources: Sequences, decode: Callable[[State, np.ndarray, Tensor], list[T]]) -> list[T]:
        """What ``decode`` finds for every source, in the order given."""
        pairs, longest = Pairs(sources, sources), self.writer.network.configuration.longest
        pairs.check_lengths(longest)
        self.writer.eval()

        def decoded(rows: np.ndarray) -> list[T]:
            with torch.inference_mode():
                batch = batch_of(pairs, rows)
                most = most_tokens(batch.mask.sum(dim=1), longest)
                state = self.writer.network.begin(batch.source, batch.mask, int(most.max()))
                return decode(state, rows, most)

        plan = reading_plan(sources.lengths, POSITIONS_AT_A_TIME)
        found: dict[int, T] = {}
        for rows, answers in zip(plan, side_by_side(decoded, plan), strict=True):
            found |= zip(rows.tolist(), answers, strict=True)
        return [found[row] for row in range(len(sources))]
