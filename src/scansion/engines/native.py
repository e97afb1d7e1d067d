"""Many sentences through a writer: sorted by length, cut by a budget of tokens, and back in the order they came."""

from collections.abc import Iterable

import numpy as np
import torch

from scansion.decoding.beam import BEAM, beam_search, most_tokens
from scansion.decoding.state import Hypothesis
from scansion.learning.writer import Writer, batch_of
from scansion.text.batches import Sequences, reading_plan
from scansion.text.pairs import Pairs
from scansion.text.subwords import BEGIN, END, Subwords

POSITIONS_AT_A_TIME = 1_024  # of sources; each has a beam of hypotheses


class Native:
    """The project's own decoder, in this process."""

    def __init__(self, writer: Writer, subwords: Subwords) -> None:
        self.writer, self.subwords = writer, subwords

    def predict(self, texts: Iterable[str], beam: int | None = None) -> list[str]:
        """The best translation of each text, in the order given."""
        found = self.hypotheses(self.subwords.encode(texts), beam or BEAM, 1)
        return self.subwords.decode([each[0].tokens for each in found])

    def hypotheses(self, sources: Sequences, beam: int, alternatives: int) -> list[list[Hypothesis]]:
        """The best hypotheses of every source, best first, in the order given.

        DataError for a source of more pieces than the writer reads.
        """
        found: list[list[Hypothesis]] = [[]] * len(sources)
        pairs, longest = Pairs(sources, sources), self.writer.network.configuration.longest
        pairs.check_lengths(longest)
        self.writer.eval()
        with torch.inference_mode():
            for rows in reading_plan(sources.lengths, POSITIONS_AT_A_TIME):
                for row, answers in zip(rows.tolist(), self._batch(pairs, rows, beam), strict=True):
                    found[row] = answers[:alternatives] or [Hypothesis([], float("-inf"), float("-inf"))]
        return found

    def _batch(self, pairs: Pairs, rows: np.ndarray, beam: int) -> list[list[Hypothesis]]:
        batch = batch_of(pairs, rows)
        most = most_tokens(batch.mask.sum(dim=1), self.writer.network.configuration.longest)
        state = self.writer.network.begin(batch.source, batch.mask, int(most.max()))
        return beam_search(self.writer.step, state, len(rows), beam, most, BEGIN, END)
