"""What language models were seen to make of a text, and the page that shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from scansion.viewer.heads import BLANK, HeadMaps, heads_drawn
from scansion.viewer.look import BAR, STRONGEST_TINT
from scansion.viewer.notebook import Page
from scansion.viewer.page import page

MOST_SURPRISES = 12
INSTEAD = 3
LEAST_SHARE = 5e-4  # what is less probable is not listed, but for the first few
FEWEST_BITS = 8.0  # what is coloured deepest, where nothing in the text took more
BEFORE = 24  # characters that stand before a token where it is shown in its place
MARKS = str.maketrans({" ": BLANK, "\n": "↵", "\t": "⇥", "\r": "↵"})


@dataclass(frozen=True)
class Candidate:
    """A token that could come next."""

    token: str
    probability: float


@dataclass(frozen=True, eq=False)
class LanguageSeen:
    """What one model made of the text."""

    name: str
    units: str
    """What its tokens are."""
    tokens: tuple[str, ...]
    """Those of the text, T; the end comes behind them."""
    bits: np.ndarray
    """What each took, and the end, (T + 1,)."""
    candidates: tuple[tuple[Candidate, ...], ...]
    """The likeliest tokens in each place and behind the text, likeliest first, T + 1."""
    bits_per_byte: float
    attention: HeadMaps | None
    fidelity: float | None
    """How far log-probabilities on the recorded path are from those on the fast one; None if nothing attends."""
    window: tuple[int, int]
    """Which part of a long text the attention is of, and how many there are."""

    def surprises(self) -> list[int]:
        """The tokens that took most bits, most first."""
        return np.argsort(-self.bits[:-1], kind="stable")[:MOST_SURPRISES].tolist()


@dataclass(frozen=True, eq=False)
class LanguageLook(Page):
    """One text, and what models made of it."""

    text: str
    models: tuple[LanguageSeen, ...]

    def words(self) -> tuple[str, ...]:
        """The text in words, each with the blanks before it; the last holds the blanks behind."""
        return tuple(self.text[begin:end] for begin, end in self._edges())

    def bits_of_words(self, model: LanguageSeen) -> np.ndarray:
        """What every word took, with the blanks before it, (W,): of a token in two words, all goes to the latter."""
        ends = np.array([end for _, end in self._edges()], np.int64)
        last = np.maximum(np.array(list(accumulate(map(len, model.tokens))), np.int64), 1)
        found = np.zeros(len(ends))
        if len(ends):
            np.add.at(found, np.minimum(np.searchsorted(ends, last), len(ends) - 1), model.bits[:-1])
        return found

    def _edges(self) -> list[tuple[int, int]]:
        edges, begin = [], 0
        while begin < len(self.text):
            end = begin
            while end < len(self.text) and self.text[end].isspace():
                end += 1
            while end < len(self.text) and not self.text[end].isspace():
                end += 1
            if not self.text[end:].strip():
                end = len(self.text)
            edges.append((begin, end))
            begin = end
        return edges

    def html(self) -> str:
        """The page: one file that needs nothing else."""
        words = self.words()
        spoken = [self.bits_of_words(model) for model in self.models]
        greatest = greatest_of(spoken)
        drawn = [
            {**_drawn(model), "strip": _strip(words, bits, greatest)}
            for model, bits in zip(self.models, spoken, strict=True)
        ]
        return page("language_look.html", {"look": self, "models": drawn, "greatest": greatest}, "look.js")

    def arrays(self) -> dict[str, np.ndarray]:
        """Tokens and bits of each model, and its heads, under names that begin with its own."""
        found: dict[str, np.ndarray] = {"words": np.array(self.words())}
        for number, model in enumerate(self.models, start=1):
            mine = {"tokens": np.array(model.tokens), "bits": model.bits, "bits_of_words": self.bits_of_words(model)}
            mine |= {} if model.attention is None else model.attention.arrays()
            found |= {f"{number}_{model.name}_{name}": array for name, array in mine.items()}
        return found


def greatest_of(values: Sequence[np.ndarray]) -> float:
    """The bits that are coloured deepest, on one scale for all."""
    return max(FEWEST_BITS, *(float(each.max(initial=0)) for each in values))


def visible(token: str) -> str:
    """A token of which something can be seen."""
    return token.translate(MARKS) or "∅"


def _strip(pieces: Sequence[str], bits: np.ndarray, greatest: float) -> list[dict[str, Any]]:
    """Pieces of text and their colour; what stands before a word is not coloured."""
    return [
        {"before": piece[: len(piece) - len(piece.lstrip())], "word": piece.lstrip(), "bits": value,
         "tint": round(STRONGEST_TINT * value / greatest, 3)}
        for piece, value in zip(pieces, bits.tolist(), strict=True)
    ]


def _drawn(model: LanguageSeen) -> dict[str, Any]:
    """A model's values as the template takes them."""
    greatest = greatest_of([model.bits[:-1]])
    offsets = [0, *accumulate(map(len, model.tokens))]
    text = "".join(model.tokens)
    surprises = [
        {"number": number, "before": text[max(0, offsets[number] - BEFORE) : offsets[number]].translate(MARKS),
         "token": visible(model.tokens[number]), "bits": float(model.bits[number]),
         "width": round(BAR * float(model.bits[number]) / greatest, 1), "instead": _named(model, number)[:INSTEAD]}
        for number in model.surprises()
    ]
    last = model.candidates[-1]
    return {
        "model": model, "surprises": surprises, "greatest": greatest,
        "tokens": [
            {"token": token, "tint": round(STRONGEST_TINT * bits / greatest, 3)}
            for token, bits in zip(model.tokens, model.bits.tolist(), strict=False)
        ],
        "next": [
            {"token": visible(each.token), "share": each.probability,
             "width": round(BAR * each.probability / max(last[0].probability, 1e-9), 1)}
            for number, each in enumerate(last) if number < INSTEAD or each.probability >= LEAST_SHARE
        ],
        "told": [
            {"token": visible(token), "bits": round(bits, 2), "instead": _named(model, number)[:INSTEAD]}
            for number, (token, bits) in enumerate(zip(model.tokens, model.bits.tolist(), strict=False))
        ],
        "heads": None if model.attention is None else heads_drawn(model.attention, "log-probability"),
    }


def _named(model: LanguageSeen, number: int) -> list[tuple[str, float]]:
    return [(visible(each.token), each.probability) for each in model.candidates[number]]
