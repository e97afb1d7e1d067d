"""Pretraining on one's own texts, without any answers: guess a word from its surroundings.

A Transformer guesses words that are hidden from it (Devlin et al. 2019, section 3.1); a state carried along guesses the
next word, from either end (Peters et al. 2018, section 3.1).  Either way the words to guess are a share of the text,
drawn anew at every step, so that the scores over the vocabulary cost no more than reading does.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from scansion.families.catalogue import READERS, ReadingFamily, name_of
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.heads.next_token import NextToken
from scansion.layers.dropout import Dropout, keep_bytes
from scansion.layers.embedding import Lexicon
from scansion.learning.gradient import Training
from scansion.learning.inputs import read_sequences, read_spelling, write_sequences, write_spelling
from scansion.options import check_whole
from scansion.randomness import stream
from scansion.storage.schema import from_json, to_json
from scansion.text.batches import FIRST_WORD, UNKNOWN, Sequences, collate, reading_plan
from scansion.text.vocabulary import Spelling

GUESSED = 0.15
MOST_GUESSED_WORDS = 10_000  # the most frequent ones; guessing rarer ones costs much and teaches little
FEWEST_HELD_OUT = 10
WHOLE_EVERY = 10  # of so many texts one is read whole
READING_BUDGET = 8_192
NETWORK = "network."


@dataclass(frozen=True)
class Pretraining(Training):
    """Without answers there is little to overfit on: what counts is how much is read."""

    tokens: int = 30_000_000
    most_epochs: int = 20
    steps: int = 8_000
    smallest_batch: int = 1_000
    held_out: float = 0.02
    piece: int = 32
    """Tokens of the pieces that most texts are cut into for a family that looks at all positions alike."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "piece")


@dataclass(frozen=True)
class TextBatch:
    """tokens (B, L), mask (B, L)."""

    tokens: Tensor
    mask: Tensor


class Guesser(nn.Module):
    """A family's network that guesses words: those from number ``first`` on, in whose place it sees ``hidden``."""

    def __init__(
        self, family: ReadingFamily, words: int, pieces: int, spelling: Spelling | None, hidden: int, first: int
    ) -> None:
        super().__init__()
        self.network = family.build(words, pieces)
        self.lexicon: Lexicon | None = None
        if spelling is not None:
            arrays = (spelling.words, spelling.pieces, spelling.borders)
            self.lexicon = self.network.embedding.lexicon = Lexicon(*(torch.from_numpy(np.array(a)) for a in arrays))
        self.carries = carries(family)
        self.hidden, self.first = hidden, first
        width = family.width // 2 if self.carries else family.width
        self.known = min(words, first + MOST_GUESSED_WORDS)
        self.table = nn.Parameter(torch.randn(self.known, width) * width**-0.5)
        self.head = NextToken(self.known)
        self.choice = Dropout(GUESSED)

    def loss(self, batch: TextBatch) -> Tensor:
        """The loss summed over the words that are guessed at this step, a scalar."""
        vectors, wanted = self.guessed(batch, ~keep_bytes(self.choice.random, batch.mask.shape, self.choice.threshold))
        return self.head.loss(vectors, self.table, wanted, 0.0)

    def surprise(self, batch: TextBatch, chosen: Tensor) -> tuple[float, int]:
        """The summed negative log-probability of the chosen words, and how many they are."""
        vectors, wanted = self.guessed(batch, chosen)
        chances = self.head.log_probabilities(vectors, self.table).gather(1, wanted[:, None])
        return -float(chances.sum()), len(wanted)

    def guessed(self, batch: TextBatch, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """The vectors that speak for the ``chosen (B, L)`` words, and those words: (n, D), (n,)."""
        words = batch.tokens if self.lexicon is None else self.lexicon.words[batch.tokens]
        chosen = chosen & batch.mask & (words >= self.first) & (words < self.known)
        if not self.carries:
            return self.network(batch.tokens.masked_fill(chosen, self.hidden), batch.mask)[chosen], words[chosen]
        onwards, backwards = self.network(batch.tokens, batch.mask).chunk(2, dim=-1)
        before, after = chosen.clone(), chosen.clone()
        before[:, 0] = False  # nothing stands before the first word
        after[:, -1] = False
        after[:, :-1] &= batch.mask[:, 1:]
        vectors = [onwards[:, :-1][before[:, 1:]], backwards[:, 1:][after[:, :-1]]]
        return torch.cat(vectors), torch.cat([words[before], words[after]])


@dataclass(frozen=True)
class PretrainingJob:
    """A family with so many ``words`` and ``pieces``, what it reads and what it is watched on.

    ``spelling`` is None where tokens are words themselves; ``hidden`` and ``first`` are :class:`Guesser`'s.
    """

    family: ReadingFamily
    words: int
    pieces: int
    training: Pretraining
    seed: int
    spelling: Spelling | None
    texts: Sequences
    held_out: Sequences
    hidden: int = UNKNOWN
    first: int = FIRST_WORD

    @property
    def learning_rate(self) -> float:
        """The family's."""
        return self.family.learning_rate

    @property
    def lengths(self) -> np.ndarray:
        """Of the texts, (N,)."""
        return self.texts.lengths

    @property
    def weights(self) -> np.ndarray:
        """About how many words of each text are guessed, (N,): every word has the same say."""
        return GUESSED * self.texts.lengths

    def build(self) -> Guesser:
        """The guesser with its first weights."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return Guesser(self.family, self.words, self.pieces, self.spelling, self.hidden, self.first)

    def batch(self, rows: np.ndarray) -> TextBatch:
        """The given texts."""
        return _batch(self.texts, rows)

    def errors(self, model: Guesser) -> tuple[np.ndarray, np.ndarray]:
        """The mean negative log-probability of guessed words in each held-out batch, and how many they are."""
        found, threshold = [], model.choice.threshold
        model.eval()
        with torch.inference_mode():
            for number, rows in enumerate(reading_plan(self.held_out.lengths, READING_BUDGET)):
                batch = _batch(self.held_out, rows)
                chosen = ~keep_bytes(stream(self.seed, "held-out guesses", number), batch.mask.shape, threshold)
                found.append(model.surprise(batch, chosen))
        sums, counts = np.array(found, np.float64).T
        if not counts.any():  # no word of so few texts was drawn, or none is known: one epoch is as good as another
            return np.zeros(1), np.ones(1)
        return sums / counts.clip(min=1), counts

    def write(self, folder: Path) -> None:
        """Token ids that are read as they are needed, and a JSON configuration."""
        write_sequences(folder, {"texts": self.texts, "held_out": self.held_out})
        if self.spelling is not None:
            write_spelling(folder, self.spelling)
        (folder / "pretraining.json").write_text(json.dumps({
            "family": name_of(self.family), "options": to_json(self.family), "words": self.words,
            "pieces": self.pieces, "training": to_json(self.training), "seed": self.seed,
            "spelled": self.spelling is not None, "hidden": self.hidden, "first": self.first,
        }))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The inverse of :meth:`write`."""
        job = json.loads((folder / "pretraining.json").read_text())
        return cls(
            from_json(READERS[job["family"]], job["options"], "pretraining.json"), job["words"], job["pieces"],
            from_json(Pretraining, job["training"], "pretraining.json"), job["seed"],
            read_spelling(folder) if job["spelled"] else None, read_sequences(folder, "texts"),
            read_sequences(folder, "held_out"), job["hidden"], job["first"],
        )


def carries(family: ReadingFamily) -> bool:
    """Whether a family carries a state along, so that what is near is what it sees first."""
    return isinstance(family, LSTM | RNN)


def split_texts(
    family: ReadingFamily, sequences: Sequences, training: Pretraining, seed: int
) -> tuple[Sequences, Sequences]:
    """The texts to read, and some that are kept back.

    Among hundreds of positions a network that looks at all of them does not find the few that tell which word is
    hidden: it goes on guessing the most frequent ones.  So all texts but every tenth are cut into short pieces, and
    those teach it the far positions (Devlin et al. 2019, appendix A.2, where the shares follow each other).
    """
    order = stream(seed, "held-out texts").permutation(len(sequences))
    held = round(min(max(training.held_out * len(order), FEWEST_HELD_OUT), training.most_held_out, len(order) / 2))
    parts = (sequences.only(np.sort(order[held:])), sequences.only(np.sort(order[:held])))
    return parts if carries(family) else tuple(_in_pieces(part, training.piece) for part in parts)


def _in_pieces(sequences: Sequences, longest: int) -> Sequences:
    """All rows but every tenth cut into equal pieces of at most ``longest`` tokens; every token is in one piece."""
    lengths = sequences.lengths
    pieces = np.maximum(1, -(-lengths // longest))
    pieces[WHOLE_EVERY - 1 :: WHOLE_EVERY] = 1
    rows = np.repeat(np.arange(len(lengths)), pieces)
    number = np.arange(len(rows)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    begins, ends = (lengths[rows] * place // pieces[rows] for place in (number, number + 1))
    return replace(sequences, starts=sequences.starts[rows] + begins, lengths=ends - begins)


def network_of(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a pretraining leaves to those who go on from it: the network's weights, without the guesser's own."""
    return {name.removeprefix(NETWORK): array for name, array in weights.items() if name.startswith(NETWORK)}


def _batch(texts: Sequences, rows: np.ndarray) -> TextBatch:
    padded = collate(texts, rows)
    return TextBatch(torch.from_numpy(padded.tokens), torch.from_numpy(padded.mask))
