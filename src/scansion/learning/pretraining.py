"""Pretraining on one's own texts, without any answers: guess words from their surroundings, in three ways.

From what is near: a Transformer guesses words that are hidden from it (Devlin et al. 2019, section 3.1); a state
carried along guesses the next word, from either end (Peters et al. 2018, section 3.1).  From the word vectors of its
document: half of the words are guessed from the other half, wherever they stand (the distributed bag of words of Le and
Mikolov 2014, section 2.3, with a sum of word vectors in place of a vector a document, and the same vectors for words
that guess and for those that are guessed).  And from pieces of it: what the network makes of some is to say which words
stand in the others.

Word vectors learn from their documents only, and the layers above them from the other two: what is near teaches word
vectors grammar, and what a few answers need is subject and opinion.  A document is scored once and not its places, so
its words cost little; of pieces, which cost more, only a share is read.  What is guessed is drawn anew at every step.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn

from scansion.families.catalogue import READERS, ReadingFamily, name_of
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.heads.document_words import DocumentWords
from scansion.heads.next_token import NextToken
from scansion.layers.dropout import LEVELS, Dropout, keep_bytes
from scansion.layers.embedding import Lexicon
from scansion.learning.gradient import Training
from scansion.learning.inputs import read_sequences, read_spelling, write_sequences, write_spelling
from scansion.learning.reader import READING_BUDGET
from scansion.options import check_positive, check_shares, check_whole
from scansion.randomness import stream
from scansion.storage.schema import from_json, to_json
from scansion.text.batches import FIRST_WORD, UNKNOWN, Sequences, collate, reading_plan
from scansion.text.vocabulary import Spelling

GUESSED_NEAR = 0.15  # of the words of a piece
GUESSED_FAR = 0.5  # of the words of a document
WHOLE = 0.1  # of the batches, whose texts are not cut into pieces
MOST_GUESSED_WORDS = 10_000  # the most frequent ones; guessing rarer ones costs much and teaches little
FEWEST_HELD_OUT = 10
NETWORK = "network."


@dataclass(frozen=True)
class Pretraining(Training):
    """Without answers there is little to overfit on: what counts is how much is read."""

    tokens: int = 60_000_000
    most_epochs: int = 20
    steps: int = 3_000
    smallest_batch: int = 1_000
    largest_batch: int = 16_000
    held_out: float = 0.02
    learning_rate: float = 2e-3
    """For every family: what is guessed is the same, and there is more of it than of answers."""
    piece: int = 32
    """Tokens of the pieces that texts are cut into."""
    pieces_read: float = 0.2
    """The share of them that is read."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "piece")
        check_positive(self, "learning_rate", "pieces_read")
        check_shares(self, "pieces_read")


@dataclass(frozen=True)
class TextBatch:
    """tokens (B, L), mask (B, L)."""

    tokens: Tensor
    mask: Tensor

    def only(self, rows: Tensor) -> "TextBatch":
        """The rows (B,) that are marked."""
        return TextBatch(self.tokens[rows], self.mask[rows])

    def in_pieces(self, longest: int) -> "TextBatch":
        """All rows cut into the same number C of pieces of so many tokens, (B * C, longest); the last may be empty."""
        short = -self.tokens.shape[1] % longest
        return TextBatch(*(nn.functional.pad(each, (0, short)).view(-1, longest) for each in (self.tokens, self.mask)))


class Guesser(nn.Module):
    """A family's network that guesses words: those from number ``first`` on, in whose place it sees ``hidden``.

    ``piece`` and ``pieces_read`` are :class:`Pretraining`'s.
    """

    def __init__(
        self, family: ReadingFamily, words: int, pieces: int, spelling: Spelling | None, hidden: int, first: int,
        piece: int, pieces_read: float,
    ) -> None:
        super().__init__()
        self.network = family.build(words, pieces)
        self.lexicon: Lexicon | None = None
        if spelling is not None:
            arrays = (spelling.words, spelling.pieces, spelling.borders)
            self.lexicon = self.network.embedding.lexicon = Lexicon(*(torch.from_numpy(np.array(a)) for a in arrays))
        self.carries = isinstance(family, LSTM | RNN)
        self.hidden, self.first, self.piece, self.pieces_read = hidden, first, piece, pieces_read
        width = family.width // 2 if self.carries else family.width
        self.known = min(words, first + MOST_GUESSED_WORDS)
        self.table = nn.Parameter(torch.randn(self.known, width) * width**-0.5)
        self.head = NextToken(self.known)
        self.table_by_pieces = nn.Parameter(torch.randn(self.known, family.width) * family.width**-0.5)
        self.by_words, self.by_pieces = (DocumentWords(self.known) for _ in range(2))
        self.draws = Dropout(0.0)  # for its stream

    def loss(self, batch: TextBatch) -> Tensor:
        """The loss summed over the words that are guessed at this step; a scalar."""
        return sum(guesses.loss for guesses in self.guess(batch, self.draws.random))

    def guess(self, batch: TextBatch, random: np.random.Generator) -> tuple["Guesses", "Guesses", "Guesses"]:
        """Of words drawn anew: from what is near, from the document's word vectors, and from pieces of it."""
        hidden = _drawn(random, batch.mask.shape, GUESSED_FAR)
        longest = batch.mask.shape[1] if random.random() < WHOLE else min(self.piece, batch.mask.shape[1])
        pieces = batch.in_pieces(longest)
        read = pieces.mask[:, 0].view(len(batch.mask), -1)  # (B, C)
        read = read & _drawn(random, read.shape, self.pieces_read)
        read[0, 0] |= ~read.any()  # one at least
        part = pieces.only(read.flatten())
        made, speaking, wanted = self.read(part, _drawn(random, part.mask.shape, GUESSED_NEAR))
        seen = batch.mask & read.repeat_interleave(longest, dim=1)[:, : batch.mask.shape[1]]
        means = _means(made, part.mask, read.nonzero()[:, 0], seen)
        documents, chosen = self.documents(batch, hidden), hidden & ~seen & seen.any(dim=1, keepdim=True)
        return (
            Guesses(self.head.loss(speaking, self.table, wanted, 0.0), len(wanted)),
            self._of_documents(self.by_words, documents, self.own_vectors(), batch, hidden),
            self._of_documents(self.by_pieces, means, self.table_by_pieces, batch, chosen),
        )

    def read(self, batch: TextBatch, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the network makes of a batch, (B, L, D), its vectors that speak for ``chosen (B, L)`` words, and those.

        The latter are (n, D), (n,).  Word vectors learn nothing from it.
        """
        words, chosen = self._known(batch, chosen)
        tokens = batch.tokens if self.carries else batch.tokens.masked_fill(chosen, self.hidden)
        hook = self.network.embedding.register_forward_hook(lambda *given: given[-1].detach())
        try:
            vectors = self.network(tokens, batch.mask)
        finally:
            hook.remove()
        if not self.carries:
            return vectors, vectors[chosen], words[chosen]
        onwards, backwards = vectors.chunk(2, dim=-1)
        before, after = chosen.clone(), chosen.clone()
        before[:, 0] = False  # nothing stands before the first word
        after[:, -1] = False
        after[:, :-1] &= batch.mask[:, 1:]
        speaking = [onwards[:, :-1][before[:, 1:]], backwards[:, 1:][after[:, :-1]]]
        return vectors, torch.cat(speaking), torch.cat([words[before], words[after]])

    def documents(self, batch: TextBatch, hidden: Tensor) -> Tensor:
        """What the words of each document say that are not ``hidden (B, L)``: (B, D)."""
        seen = (batch.mask & ~hidden)[:, :, None]
        # by the root of their number: a long document's vector is neither louder nor quieter than a short one's
        return (self.network.embedding(batch.tokens) * seen).sum(dim=1) / seen.sum(dim=1).clamp(min=1).sqrt()

    def own_vectors(self) -> Tensor:
        """Of the words that can be guessed, without their pieces: (V, D)."""
        embedding = self.network.embedding
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
        words = batch.tokens if self.lexicon is None else self.lexicon.words[batch.tokens]
        return words, chosen & batch.mask & (words >= self.first) & (words < self.known)


class Guesses(NamedTuple):
    """The loss summed over words that were guessed, and how many they are."""

    loss: Tensor
    words: int


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
        """The recipe's, whatever the family's is."""
        return self.training.learning_rate

    @property
    def lengths(self) -> np.ndarray:
        """Of the texts, (N,)."""
        return self.texts.lengths

    @property
    def weights(self) -> np.ndarray:
        """About how many words of each text are guessed, (N,)."""
        read, lengths = self.training.pieces_read, self.texts.lengths
        elsewhere = (1 - read) - (1 - read) ** np.ceil(lengths / self.training.piece)  # unread, and a piece is read
        return (GUESSED_NEAR * read + GUESSED_FAR * (1 + elsewhere)) * lengths

    def build(self) -> Guesser:
        """The guesser with its first weights."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return Guesser(
                self.family, self.words, self.pieces, self.spelling, self.hidden, self.first, self.training.piece,
                self.training.pieces_read,
            )

    def batch(self, rows: np.ndarray) -> TextBatch:
        """The given texts."""
        return _batch(self.texts, rows)

    def errors(self, model: Guesser) -> tuple[np.ndarray, np.ndarray]:
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


def split_texts(sequences: Sequences, training: Pretraining, seed: int) -> tuple[Sequences, Sequences]:
    """The texts to read, and some that are kept back."""
    order = stream(seed, "held-out texts").permutation(len(sequences))
    held = round(min(max(training.held_out * len(order), FEWEST_HELD_OUT), training.most_held_out, len(order) / 2))
    return sequences.only(np.sort(order[held:])), sequences.only(np.sort(order[:held]))


def network_of(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a pretraining leaves to those who go on from it: the network's weights, without the guesser's own."""
    return {name.removeprefix(NETWORK): array for name, array in weights.items() if name.startswith(NETWORK)}


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
