"""What a translator does while it writes: where it looks, and what each word of the source is needed for."""

from dataclasses import dataclass

import numpy as np
import torch

from scansion.layers.recording import Attending, private, recorded
from scansion.layers.silencing import each_head_silenced, heads_of
from scansion.learning.writer import READING_BUDGET, Writer, batch_of
from scansion.tasks.attention import KINDS, attention_of
from scansion.tasks.explaining import removed_together
from scansion.text.batches import Sequences
from scansion.text.pairs import Pairs
from scansion.text.subwords import Subwords
from scansion.viewer.heads import BLANK, HeadMaps
from scansion.viewer.translation_look import TranslationLook

UPPER_HALF = "the mean of the upper half of the layers"
TITLES = {
    "across": "Where the target looks in the source",
    "source": "Where the source looks in itself",
    "target": "Where the target looks in its own past",
}


@dataclass(frozen=True)
class Side:
    """A text in pieces, the number of the word that each is a part of (-1 for the end), and how both are shown."""

    pieces: np.ndarray
    words_of_pieces: np.ndarray
    shown: tuple[str, ...]
    words: tuple[str, ...]
    """Every word, and the end."""

    @classmethod
    def of(cls, subwords: Subwords, text: str) -> "Side":
        """A text as these sub-words write it."""
        pieces, numbers = subwords.encode([text]).ids[:], np.array(subwords.words(text))
        shown = tuple(subwords.shown(pieces))
        # pieces may be parts of a letter, so a word is not what its pieces look like
        words = subwords.decode([pieces[numbers == word].tolist() for word in range(int(numbers.max(initial=-1)) + 1)])
        return cls(pieces, numbers, shown, (*(word.strip() or BLANK for word in words), shown[-1]))

    def sums(self, values: np.ndarray) -> np.ndarray:
        """What stands at the pieces (..., T), for every word and the end (..., words)."""
        owners = np.where(self.words_of_pieces < 0, len(self.words) - 1, self.words_of_pieces)
        found = np.zeros((*values.shape[:-1], len(self.words)))
        np.add.at(found, (..., owners), values)
        return found


def look_at_translation(writer: Writer, subwords: Subwords, source: str, target: str, name: str) -> TranslationLook:
    """What the writer does while it writes ``target`` for ``source``; DataError for a text that is too long."""
    sides = Side.of(subwords, source), Side.of(subwords, target)
    _pairs([sides[0].pieces], sides[1].pieces).check_lengths(writer.network.configuration.longest)
    writer = private(writer)
    attends = any(isinstance(layer, Attending) for layer in writer.modules())
    fast, fidelity, maps = chances(writer, [sides[0].pieces], sides[1].pieces)[0], None, ()
    if attends:
        with recorded(writer):
            fidelity = float(np.abs(fast - chances(writer, [sides[0].pieces], sides[1].pieces)[0]).max())
        maps = _maps(writer, subwords, (source, target), sides, fast)
    groups = removed_together(len(sides[0].words) - 1)
    kept = [sides[0].pieces[~np.isin(sides[0].words_of_pieces, group)] for group in groups]
    lost = fast - chances(writer, kept, sides[1].pieces) if kept else np.zeros((0, len(fast)))
    return TranslationLook(
        name, source, target, tuple(" ".join(sides[0].words[word] for word in group) for group in groups),
        sides[1].words, sides[1].sums(fast), sides[1].sums(lost).T, maps, fidelity,
    )


def chances(writer: Writer, sources: list[np.ndarray], target: np.ndarray) -> np.ndarray:
    """The log-probability of every piece of one target after each of several sources, (N, T)."""
    found = []
    at_a_time = max(1, READING_BUDGET // max(len(target), *map(len, sources)))
    with torch.inference_mode():
        for begin in range(0, len(sources), at_a_time):
            some = sources[begin : begin + at_a_time]
            batch = batch_of(_pairs(some, target), np.arange(len(some)))
            found.append(writer.chances(batch).view(len(some), -1).numpy())
    return np.concatenate(found)


def writing_head_effects(writer: Writer, source: np.ndarray, target: np.ndarray, whole: float) -> np.ndarray:
    """What the target's log-probability, ``whole``, loses without each head, (layers of any kind, heads)."""
    at_a_time = max(1, READING_BUDGET // max(len(source), len(target)))
    left = [chances(writer, [source] * rows, target).sum(axis=1) for rows in each_head_silenced(writer, at_a_time)]
    return (whole - np.concatenate(left)).reshape(len(heads_of(writer)), -1)


def _maps(
    writer: Writer, subwords: Subwords, texts: tuple[str, str], sides: tuple[Side, Side], fast: np.ndarray
) -> tuple[HeadMaps, ...]:
    """The maps of each kind of attention, what looks across first."""
    attention = attention_of(writer, subwords, *texts)
    kinds = [KINDS[name.rsplit(".", 1)[-1]] for name in heads_of(writer)]
    effects = writing_head_effects(writer, sides[0].pieces, sides[1].pieces, float(fast.sum())) if kinds else None
    found = []
    weights = {"across": attention.across, "source": attention.within_source, "target": attention.within_target}
    for kind, title in TITLES.items():
        if weights[kind] is None:
            continue
        mine = None if effects is None else effects[[each == kind for each in kinds]]
        rows, columns = sides[kind != "source"], sides[kind == "target"]
        # the lower layers do not know yet what is to be written, and blur the alignment
        upper = None if mine is None else weights[kind][len(mine) // 2 :].mean(axis=(0, 1))
        found.append(HeadMaps(
            title, rows.shown, _before(columns.shown) if kind == "target" else columns.shown,
            tuple(rows.words_of_pieces.tolist()), _columns(columns, kind), weights[kind], mine, upper, UPPER_HALF,
            steps=kind != "source", causal=kind == "target", row_names=rows.words[:-1], column_names=columns.words[:-1],
        ))
    return tuple(found)


def _before(shown: tuple[str, ...]) -> tuple[str, ...]:
    """What was written before each piece, which is what a decoder reads."""
    return ("[begin]", *shown[:-1])


def _columns(side: Side, kind: str) -> tuple[int, ...]:
    numbers = side.words_of_pieces.tolist()
    return (-1, *numbers[:-1]) if kind == "target" else tuple(numbers)


def _pairs(sources: list[np.ndarray], target: np.ndarray) -> Pairs:
    lengths = np.array([len(each) for each in sources], np.int64)
    starts = np.cumsum(lengths) - lengths
    size = np.full(len(sources), len(target), np.int64)
    return Pairs(
        Sequences(np.concatenate(sources), starts, lengths), Sequences(target, np.zeros(len(sources), np.int64), size)
    )
