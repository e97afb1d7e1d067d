"""Many sentences through a writer: sorted by length, cut by a budget of tokens, and back in the order they came."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch

from scansion.decoding.beam import LENGTH_PENALTY, beam_search
from scansion.decoding.state import Hypothesis
from scansion.errors import DataError
from scansion.families.catalogue import WritingFamily
from scansion.learning.writer import Writer, batch_of
from scansion.text.batches import Sequences, reading_plan
from scansion.text.pairs import Pairs
from scansion.text.subwords import BEGIN, END, Subwords

POSITIONS_AT_A_TIME = 1_024  # of sources; each has a beam of hypotheses
TIMES_AS_LONG, MORE_TOKENS = 2, 10  # how much longer than its source a translation may be


def hypotheses_of(
    writer: Writer, sources: Sequences, beam: int, penalty: float = LENGTH_PENALTY
) -> list[list[Hypothesis]]:
    """The ``beam`` best hypotheses of every source, best first, in the order given."""
    found: list[list[Hypothesis]] = [[]] * len(sources)
    pairs, longest = Pairs(sources, sources), writer.network.configuration.longest
    check_lengths_of(pairs, writer.network.configuration)
    writer.eval()
    with torch.inference_mode():
        for rows in reading_plan(sources.lengths, POSITIONS_AT_A_TIME):
            batch = batch_of(pairs, rows)
            most = TIMES_AS_LONG * batch.mask.sum(dim=1) + MORE_TOKENS
            most = most if longest is None else most.clamp(max=longest)
            state = writer.network.begin(batch.source, batch.mask, int(most.max()))
            answers = beam_search(writer.step, state, len(rows), beam, most, BEGIN, END, penalty)
            for row, answer in zip(rows.tolist(), answers, strict=True):
                found[row] = answer
    return found


def check_lengths_of(pairs: Pairs, family: WritingFamily) -> None:
    """DataError for a text of more pieces than the family has positions for: nothing is cut in silence."""
    if family.longest is not None and len(pairs) and pairs.lengths.max() > family.longest:
        row = int(pairs.lengths.argmax())
        raise DataError(
            f"Text {row + 1:,} has {pairs.lengths[row]:,} pieces, and this family reads at most {family.longest:,} "
            "(longest). Split it into sentences, or train with a larger longest."
        )


def translations_of(writer: Writer, subwords: Subwords, texts: Iterable[str], beam: int) -> list[str]:
    """The best translation of every text."""
    found = hypotheses_of(writer, subwords.encode(texts), beam)
    return subwords.decode([best(each).tokens for each in found])


def best(hypotheses: Sequence[Hypothesis]) -> Hypothesis:
    """The first of them; nothing at all where there is none."""
    return hypotheses[0] if hypotheses else Hypothesis([], float("-inf"), float("-inf"))


def restored(writer: Writer, weights: dict[str, np.ndarray]) -> Writer:
    """The writer with the given weights, ready to write."""
    writer.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return writer.eval()
