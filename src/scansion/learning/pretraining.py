"""Pretraining on one's own texts, without any answers: guess words from their surroundings, in three ways.

From what is near: a Transformer guesses words that are hidden from it (Devlin et al. 2019, section 3.1); a state
carried along guesses the next word, from either end (Peters et al. 2018, section 3.1).  From the word vectors of its
document: half of the words are guessed from the other half, wherever they stand (the distributed bag of words of Le and
Mikolov 2014, section 2.3, with a sum of word vectors in place of a vector a document, and the same vectors for words
that guess and for those that are guessed).  And from chunks of it: the encoder's vectors of some predict which words
stand in the others.

Word vectors learn from their documents only, and the layers above them from the other two: what is near teaches word
vectors grammar, and what a few answers need is subject and opinion.  A document is scored once and not its places, so
its words cost little; of chunks, which cost more, only a share is read.  What is guessed is drawn anew at every step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn

from scansion.heads.document_words import DocumentWords
from scansion.heads.next_token import NextToken
from scansion.layers.dropout import LEVELS, Dropout, keep_bytes
from scansion.learning.description import FitDescription
from scansion.learning.document_job import Start
from scansion.learning.document_network import READING_BUDGET
from scansion.learning.job import ShuffledRows
from scansion.learning.job_files import (
    read_description,
    read_index,
    read_sequences,
    write_description,
    write_index,
    write_sequences,
)
from scansion.learning.training import Pretraining
from scansion.randomness import stream
from scansion.text.batches import FIRST_WORD, UNKNOWN, Sequences, collate, reading_plan

GUESSED_NEAR = 0.15  # of the words of a chunk
GUESSED_FAR = 0.5  # of the words of a document
WHOLE = 0.1  # of the batches, whose texts are not cut into chunks
MOST_GUESSED_WORDS = 10_000  # the most frequent ones; guessing rarer ones costs much and teaches little
FEWEST_HELD_OUT = 10
ENCODER = "encoder."


@dataclass(frozen=True)
class TextBatch:
    """tokens (B, L), mask (B, L)."""

    tokens: Tensor
    mask: Tensor

    def only(self, rows: Tensor) -> "TextBatch":
        """The rows (B,) that are marked."""
        return TextBatch(self.tokens[rows], self.mask[rows])

    def in_chunks(self, length: int) -> "TextBatch":
        """All rows cut into the same number C of chunks of so many tokens, (B * C, length); the last may be empty."""
        short = -self.tokens.shape[1] % length
        return TextBatch(*(nn.functional.pad(each, (0, short)).view(-1, length) for each in (self.tokens, self.mask)))


class PretrainingNetwork(nn.Module):
    """A family's encoder that guesses words: those from number ``first`` on, in whose place it sees ``hidden``."""

    def __init__(self, family: Any, start: Start, hidden: int, first: int, training: Pretraining) -> None:
        super().__init__()
        self.encoder = family.build(start.words, start.char_ngrams)
        self.words_of_tokens: Tensor | None = None
        if start.index is not None:
            self.encoder.embedding.use(start.index.words, start.index.char_ngrams, start.index.offsets)
            self.words_of_tokens = self.encoder.embedding.lookup.words
        self.both_ways = family.pretraining == "next-word"
        self.hidden, self.first, self.training_options = hidden, first, training
        width = family.width // 2 if self.both_ways else family.width
        self.known = min(start.words, first + MOST_GUESSED_WORDS)
        self.output_embedding = nn.Parameter(torch.randn(self.known, width) * width**-0.5)
        self.head = NextToken(self.known)
        self.chunk_embedding = nn.Parameter(torch.randn(self.known, family.width) * family.width**-0.5)
        self.by_words, self.by_chunks = (DocumentWords(self.known) for _ in range(2))
        self.draws = Dropout(0.0)  # for its stream

    def loss(self, batch: TextBatch) -> Tensor:
        """The loss summed over the words that are guessed at this step; a scalar."""
        near, by_words, by_chunks = self.guess(batch, self.draws.stream())
        return near.loss + by_words.loss + by_chunks.loss

    def guess(self, batch: TextBatch, random: np.random.Generator) -> tuple["Guesses", "Guesses", "Guesses"]:
        """Of words drawn anew: from what is near, from the document's word vectors, and from chunks of it."""
        hidden = _drawn(random, batch.mask.shape, GUESSED_FAR)
        longest = batch.mask.shape[1]
        length = longest if random.random() < WHOLE else min(self.training_options.chunk_tokens, longest)
        chunks = batch.in_chunks(length)
        read = chunks.mask[:, 0].view(len(batch.mask), -1)  # (B, C)
        read = read & _drawn(random, read.shape, self.training_options.chunks_read)
        read[0, 0] |= ~read.any()  # one at least
        part = chunks.only(read.flatten())
        made, predicting, wanted = self.read(part, _drawn(random, part.mask.shape, GUESSED_NEAR))
        seen = batch.mask & read.repeat_interleave(length, dim=1)[:, :longest]
        means = _means(made, part.mask, read.nonzero()[:, 0], seen)
        documents, chosen = self.documents(batch, hidden), hidden & ~seen & seen.any(dim=1, keepdim=True)
        return (
            Guesses(self.head.loss(predicting, self.output_embedding, wanted, 0.0), len(wanted)),
            self._of_documents(self.by_words, documents, self.own_vectors(), batch, hidden),
            self._of_documents(self.by_chunks, means, self.chunk_embedding, batch, chosen),
        )

    def read(self, batch: TextBatch, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The encoder's vectors (B, L, D), those that the ``chosen (B, L)`` words are predicted from, and these words.

        The latter are (n, D), (n,).  Word vectors learn nothing from it.
        """
        words, chosen = self._known(batch, chosen)
        tokens = batch.tokens if self.both_ways else batch.tokens.masked_fill(chosen, self.hidden)
        hook = self.encoder.embedding.register_forward_hook(lambda *given: given[-1].detach())
        try:
            vectors = self.encoder(tokens, batch.mask)
        finally:
            hook.remove()
        if not self.both_ways:
            return vectors, vectors[chosen], words[chosen]
        onwards, backwards = vectors.chunk(2, dim=-1)
        before, after = chosen.clone(), chosen.clone()
        before[:, 0] = False  # nothing stands before the first word
        after[:, -1] = False
        after[:, :-1] &= batch.mask[:, 1:]
        predicting = [onwards[:, :-1][before[:, 1:]], backwards[:, 1:][after[:, :-1]]]
        return vectors, torch.cat(predicting), torch.cat([words[before], words[after]])

    def documents(self, batch: TextBatch, hidden: Tensor) -> Tensor:
        """What the words of each document say that are not ``hidden (B, L)``: (B, D)."""
        seen = (batch.mask & ~hidden)[:, :, None]
        # by the root of their number: a long document's vector is as long as a short one's
        return (self.encoder.embedding(batch.tokens) * seen).sum(dim=1) / seen.sum(dim=1).clamp(min=1).sqrt()

    def own_vectors(self) -> Tensor:
        """Of the words that can be guessed, without their character n-grams: (V, D)."""
        embedding = self.encoder.embedding
        return getattr(embedding, "words", embedding)(torch.arange(self.known))

    def _of_documents(
        self, head: DocumentWords, vectors: Tensor, table: Tensor, batch: TextBatch, chosen: Tensor
    ) -> "Guesses":
        """The ``chosen (B, L)`` words of each document from its vector, (B, D)."""
        words, chosen = self._known(batch, chosen)
        asked, rows = torch.unique(chosen.nonzero()[:, 0], return_inverse=True)  # short documents have none
        return Guesses(head.loss(vectors[asked], table, rows, words[chosen]), len(rows))

    def _known(self, batch: TextBatch, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """The words of all tokens by number, (B, L), and where they are chosen and can be guessed, (B, L)."""
        words = batch.tokens if self.words_of_tokens is None else self.words_of_tokens[batch.tokens]
        return words, chosen & batch.mask & (words >= self.first) & (words < self.known)


class Guesses(NamedTuple):
    """The loss summed over words that were guessed, and how many they are."""

    loss: Tensor
    words: int


@dataclass(frozen=True)
class PretrainingJob(ShuffledRows):
    """The family of ``description``, what it reads and what it is validated on.

    ``hidden`` and ``first`` are :class:`PretrainingNetwork`'s.
    """

    description: FitDescription
    start: Start
    texts: Sequences
    held_out: Sequences
    hidden: int = UNKNOWN
    first: int = FIRST_WORD

    @property
    def training(self) -> Pretraining:
        """The recipe."""
        return self.description.training

    @property
    def seed(self) -> int:
        """Of everything that is drawn."""
        return self.description.seed

    @property
    def learning_rate(self) -> float:
        """The recipe's, whatever the family's is."""
        return self.training.learning_rate

    @property
    def lengths(self) -> np.ndarray:
        """Of the texts, (N,)."""
        return self.texts.lengths

    @property
    def weights(self) -> np.ndarray:
        """About how many words of each text are guessed, (N,)."""
        read, lengths = self.training.chunks_read, self.texts.lengths
        # unread, and another chunk is read
        elsewhere = (1 - read) - (1 - read) ** np.ceil(lengths / self.training.chunk_tokens)
        return (GUESSED_NEAR * read + GUESSED_FAR * (1 + elsewhere)) * lengths

    def build(self) -> PretrainingNetwork:
        """The network with its first weights."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return PretrainingNetwork(
                self.description.family, self.start, self.hidden, self.first, self.training
            )

    def batch(self, rows: np.ndarray) -> TextBatch:
        """The given texts."""
        return _batch(self.texts, rows)

    def errors(self, model: PretrainingNetwork) -> tuple[np.ndarray, np.ndarray]:
        """The mean negative log-probability of the words guessed in each held-out batch, and how many."""
        found = []
        model.eval()
        with torch.inference_mode():
            for number, rows in enumerate(reading_plan(self.held_out.lengths, READING_BUDGET)):
                guesses = model.guess(_batch(self.held_out, rows), stream(self.seed, "held-out guesses", number))
                found.append((sum(float(each.loss) for each in guesses), sum(each.words for each in guesses)))
        sums, counts = np.array(found, np.float64).T
        if not counts.any():  # no word of so few texts was drawn, or none is known: one epoch is as good as another
            return np.zeros(1), np.ones(1)
        return sums / counts.clip(min=1), counts

    def write(self, folder: Path) -> None:
        """Token ids that are read as they are needed, and a JSON description."""
        write_sequences(folder, {"texts": self.texts, "held_out": self.held_out})
        write_index(folder, self.start.index)
        write_description(folder, self.description, {
            "words": self.start.words, "char_ngrams": self.start.char_ngrams, "hidden": self.hidden,
            "first": self.first,
        })

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The inverse of :meth:`write`."""
        description, sizes = read_description(folder)
        start = Start(sizes["words"], sizes["char_ngrams"], read_index(folder))
        texts, held_out = (read_sequences(folder, name) for name in ("texts", "held_out"))
        return cls(description, start, texts, held_out, sizes["hidden"], sizes["first"])


def split_texts(sequences: Sequences, training: Pretraining, seed: int) -> tuple[Sequences, Sequences]:
    """The texts to read, and some that are kept back."""
    order = stream(seed, "held-out texts").permutation(len(sequences))
    wanted = max(training.validation_fraction * len(order), FEWEST_HELD_OUT)
    held = round(min(wanted, training.max_validation_rows, len(order) / 2))
    return sequences.only(np.sort(order[held:])), sequences.only(np.sort(order[:held]))


def encoder_weights(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a pretraining leaves to those who go on from it: the encoder's weights, without what only guesses."""
    return {name.removeprefix(ENCODER): array for name, array in weights.items() if name.startswith(ENCODER)}


def _batch(texts: Sequences, rows: np.ndarray) -> TextBatch:
    padded = collate(texts, rows)
    return TextBatch(torch.from_numpy(padded.tokens), torch.from_numpy(padded.mask))


def _means(vectors: Tensor, mask: Tensor, owners: Tensor, seen: Tensor) -> Tensor:
    """The mean of all vectors (n, L, D) of each document, (B, D), of which ``seen`` is where they stand in it."""
    sums = vectors.new_zeros(len(seen), vectors.shape[2])
    sums = sums.index_add(0, owners, (vectors * mask[:, :, None]).sum(dim=1))
    return sums / seen.sum(dim=1, keepdim=True).clamp(min=1)


def _drawn(random: np.random.Generator, shape: tuple[int, ...], share: float) -> Tensor:
    """True for a share of places."""
    return ~keep_bytes(random, shape, round(share * LEVELS))
