"""Many sentences through the project's own decoder: sorted by length, cut by a budget of tokens, in their own order."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from scansion.decoding.beam import beam_search, most_tokens
from scansion.decoding.sampling import sample
from scansion.decoding.state import Hypothesis, State, excluding
from scansion.learning.seq2seq import batch_of
from scansion.learning.thread_pool import map_in_threads
from scansion.models.translation_engine import TranslationEngine, emptied
from scansion.models.translation_model import FittedTranslator
from scansion.text.batches import Sequences, reading_plan
from scansion.text.pairs import Pairs
from scansion.text.subword_tokenizer import BEGIN, END, NEVER_WRITTEN

POSITIONS_AT_A_TIME = 1_024  # of sources; each has a beam of hypotheses

T = TypeVar("T")


class NativeTranslator(TranslationEngine):
    """The project's own decoder, in this process."""

    def __init__(self, fitted: FittedTranslator) -> None:
        self.model, self.tokenizer, self.max_length = fitted.model, fitted.tokenizer, fitted.max_length
        self.step = excluding(self.model.step, NEVER_WRITTEN)

    def sample(self, texts: Iterable[str], temperature: float, top_k: int | None, seed: int) -> list[str]:
        """A translation of each text drawn at random; see :func:`scansion.decoding.sampling.sample`."""
        texts = emptied(texts)

        def draw(state: State, rows: np.ndarray, most: Tensor) -> list[Hypothesis]:
            return sample(
                self.step, state, rows.tolist(), most, BEGIN, END, seed=seed, temperature=temperature,
                top_k=top_k,
            )

        return self.written(texts, [each.tokens for each in self._each(self.tokenizer.encode(texts), draw)])

    def hypotheses(self, sources: Sequences, beam: int, alternatives: int) -> list[list[Hypothesis]]:
        """See :class:`scansion.models.translation_engine.TranslationEngine`."""

        def search(state: State, rows: np.ndarray, most: Tensor) -> list[list[Hypothesis]]:
            found = beam_search(self.step, state, len(rows), beam, most, BEGIN, END)
            return [each[:alternatives] or [Hypothesis([], float("-inf"), float("-inf"))] for each in found]

        return self._each(sources, search)

    def _each(self, sources: Sequences, decode: Callable[[State, np.ndarray, Tensor], list[T]]) -> list[T]:
        """What ``decode`` finds for every source, in the order given."""
        pairs = Pairs(sources, sources)
        pairs.check_lengths(self.max_length)
        self.model.eval()

        def decoded(rows: np.ndarray) -> list[T]:
            with torch.inference_mode():
                batch = batch_of(pairs, rows)
                most = most_tokens(batch.mask.sum(dim=1), self.max_length)
                state = self.model.network.init_state(batch.source, batch.mask, int(most.max()))
                return decode(state, rows, most)

        plan = reading_plan(sources.lengths, POSITIONS_AT_A_TIME)
        found: dict[int, T] = {}
        for rows, answers in zip(plan, map_in_threads(decoded, plan), strict=True):
            found |= zip(rows.tolist(), answers, strict=True)
        return [found[row] for row in range(len(sources))]
