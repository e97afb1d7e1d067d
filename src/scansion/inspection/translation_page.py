"""What a translator does while it writes: where it looks, and what each word of the source is needed for."""

from dataclasses import dataclass

import numpy as np
import torch

from scansion.inspection.explanation import removed_together
from scansion.inspection.translation_attention import KINDS, TranslationAttention, attention_of
from scansion.layers.attention_capture import AttentionLayer, private, recorded
from scansion.layers.head_mask import each_head_masked, heads_of
from scansion.learning.seq2seq import READING_BUDGET, Seq2SeqModel, batch_of
from scansion.models.translation_model import FittedTranslator
from scansion.text.batches import Sequences
from scansion.text.pairs import Pairs
from scansion.text.subword_tokenizer import SubwordTokenizer
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
    """A text in subwords, the number of the word that each is a part of (-1 for the end), and how both are shown."""

    subwords: np.ndarray
    words_of_subwords: np.ndarray
    shown: tuple[str, ...]
    words: tuple[str, ...]
    """Every word, and the end."""

    @classmethod
    def of(cls, tokenizer: SubwordTokenizer, text: str) -> "Side":
        """A text as these subwords write it."""
        subwords, numbers = tokenizer.encode([text]).ids[:], np.array(tokenizer.words(text))
        shown = tuple(tokenizer.shown(subwords.tolist()))
        # subwords may be parts of a letter, so a word is not what its subwords look like
        count = int(numbers.max(initial=-1)) + 1
        words = tokenizer.decode([subwords[numbers == word].tolist() for word in range(count)])
        return cls(subwords, numbers, shown, (*(word.strip() or BLANK for word in words), shown[-1]))

    def sums(self, values: np.ndarray) -> np.ndarray:
        """What stands at the subwords (..., T), for every word and the end (..., words)."""
        owners = np.where(self.words_of_subwords < 0, len(self.words) - 1, self.words_of_subwords)
        found = np.zeros((len(self.words), *values.shape[:-1]))
        np.add.at(found, owners, np.moveaxis(values, -1, 0))
        return np.moveaxis(found, 0, -1)


def look_at_translation(fitted: FittedTranslator, source: str, target: str) -> TranslationLook:
    """What the model does while it writes ``target`` for ``source``; DataError for a text that is too long."""
    sides = Side.of(fitted.tokenizer, source), Side.of(fitted.tokenizer, target)
    _pairs([sides[0].subwords], sides[1].subwords).check_lengths(fitted.max_length)
    model = private(fitted.model)
    fast, fidelity = log_probs(model, [sides[0].subwords], sides[1].subwords)[0], None
    maps: tuple[HeadMaps, ...] = ()
    if any(isinstance(layer, AttentionLayer) for layer in model.modules()):
        with recorded(model):
            fidelity = float(np.abs(fast - log_probs(model, [sides[0].subwords], sides[1].subwords)[0]).max())
        maps = _maps(model, attention_of(fitted, source, target), sides, fast)
    groups = removed_together(len(sides[0].words) - 1)
    kept = [sides[0].subwords[~np.isin(sides[0].words_of_subwords, group)] for group in groups]
    lost = fast - log_probs(model, kept, sides[1].subwords) if kept else np.zeros((0, len(fast)))
    return TranslationLook(
        fitted.description.title, source, target,
        tuple(" ".join(sides[0].words[word] for word in group) for group in groups),
        sides[1].words, sides[1].sums(fast), sides[1].sums(lost).T, maps, fidelity,
    )


def log_probs(model: Seq2SeqModel, sources: list[np.ndarray], target: np.ndarray) -> np.ndarray:
    """The log-probability of every subword of one target after each of several sources, (N, T)."""
    found = []
    at_a_time = max(1, READING_BUDGET // max(len(target), *map(len, sources)))
    with torch.inference_mode():
        for begin in range(0, len(sources), at_a_time):
            some = sources[begin : begin + at_a_time]
            batch = batch_of(_pairs(some, target), np.arange(len(some)))
            found.append(model.log_probs(batch).view(len(some), -1).numpy())
    return np.concatenate(found)


def decoder_head_effects(model: Seq2SeqModel, source: np.ndarray, target: np.ndarray, whole: float) -> np.ndarray:
    """What the target's log-probability, ``whole``, loses without each head, (layers of any kind, heads)."""
    at_a_time = max(1, READING_BUDGET // max(len(source), len(target)))
    left = [log_probs(model, [source] * rows, target).sum(axis=1) for rows in each_head_masked(model, at_a_time)]
    return (whole - np.concatenate(left)).reshape(len(heads_of(model)), -1)


def _maps(
    model: Seq2SeqModel, attention: TranslationAttention, sides: tuple[Side, Side], fast: np.ndarray
) -> tuple[HeadMaps, ...]:
    """The maps of each kind of attention, what looks across first."""
    kinds = [KINDS[name.rsplit(".", 1)[-1]] for name in heads_of(model)]
    effects = decoder_head_effects(model, sides[0].subwords, sides[1].subwords, float(fast.sum())) if kinds else None
    found = []
    weights = {"across": attention.across, "source": attention.within_source, "target": attention.within_target}
    for kind, title in TITLES.items():
        mine_weights = weights[kind]
        if mine_weights is None:
            continue
        mine = None if effects is None else effects[[each == kind for each in kinds]]
        rows, columns = sides[kind != "source"], sides[kind == "target"]
        # the lower layers do not know yet what is to be written, and blur the alignment
        upper = None if mine is None else mine_weights[len(mine) // 2 :].mean(axis=(0, 1))
        found.append(HeadMaps(
            title, rows.shown, _before(columns.shown) if kind == "target" else columns.shown,
            tuple(rows.words_of_subwords.tolist()), _columns(columns, kind), mine_weights, mine, upper, UPPER_HALF,
            steps=kind != "source", causal=kind == "target", row_names=rows.words[:-1], column_names=columns.words[:-1],
        ))
    return tuple(found)


def _before(shown: tuple[str, ...]) -> tuple[str, ...]:
    """What was written before each subword, which is what a decoder reads."""
    return ("[begin]", *shown[:-1])


def _columns(side: Side, kind: str) -> tuple[int, ...]:
    numbers = side.words_of_subwords.tolist()
    return (-1, *numbers[:-1]) if kind == "target" else tuple(numbers)


def _pairs(sources: list[np.ndarray], target: np.ndarray) -> Pairs:
    lengths = np.array([len(each) for each in sources], np.int64)
    starts = np.cumsum(lengths) - lengths
    size = np.full(len(sources), len(target), np.int64)
    return Pairs(
        Sequences(np.concatenate(sources), starts, lengths), Sequences(target, np.zeros(len(sources), np.int64), size)
    )
