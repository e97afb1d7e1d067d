"""What models were seen to do with one text, and the page that shows it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import numpy as np

from scansion.viewer.heads import HeadMaps, heads_drawn
from scansion.viewer.notebook import Page
from scansion.viewer.page import page

STRONGEST_TINT = 0.5
LEAST_SCALE = 0.5  # of a logit, where it moves a probability of 50 % to 62 %; of a number's deviation
BAR = 100  # units of width
MOST_ROWS = 400  # of the table of words; of a longer text it has the strongest


@dataclass(frozen=True, eq=False)
class Track:
    """A number for every word, from 0 to ``greatest``."""

    name: str
    group: str
    """What it is shown under, together with its neighbours of the same group; empty for nothing."""
    about: str
    values: np.ndarray  # (W,)
    greatest: float


@dataclass(frozen=True, eq=False)
class Removal:
    """What the answer loses when neighbouring words are taken out of the text."""

    first: int
    last: int
    effect: float


@dataclass(frozen=True, eq=False)
class ModelLook:
    """What one model was seen to do."""

    name: str
    receptive_field: str
    """Which of six positions the fourth one sees; empty where that cannot be told."""
    answer: str
    """The one that is looked at."""
    decision: str
    """What the model answers, which may be another."""
    probability: float | None
    """That of the answer looked at; None for a number."""
    probabilities: tuple[tuple[str, float], ...]
    """Of all labels, likeliest first."""
    contributions: np.ndarray
    """Of every word to the answer's score, (W,)."""
    least_scale: float
    """The smallest contribution that is drawn as the largest there can be; less does not look like it."""
    exact: bool
    """Whether they add up by definition."""
    base: float
    score: float
    completeness_error: float
    removed: float
    removed_at_random: tuple[float, ...]
    removals: tuple[Removal, ...]
    tracks: tuple[Track, ...]
    attention: HeadMaps | None
    fidelity: float | None
    """How far the answer's scores on the recorded path are from those on the fast one; None if nothing is recorded."""
    window: tuple[int, int]
    """Which part of a long text attention and tracks are of, and how many there are."""

    @property
    def scale(self) -> str:
        """Whose parts these are."""
        return "the number" if self.probability is None else f"the score of “{self.answer}”"

    @property
    def quantity(self) -> str:
        """What the effects are measured in."""
        return "number" if self.probability is None else "log-probability"


@dataclass(frozen=True, eq=False)
class Look(Page):
    """One text, and what models were seen to do with it."""

    text: str
    words: tuple[str, ...]
    between: tuple[str, ...]
    """What stands before each word, and behind the last: blanks, mostly."""
    models: tuple[ModelLook, ...]

    def html(self) -> str:
        """The page: one file that needs nothing else."""
        drawn = [_drawn(self, each) for each in self.models]
        numbers = self.models[0].probability is None
        return page("look.html", {"look": self, "models": drawn, "numbers": numbers}, "look.js")

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights and effects of each model's heads, contributions and tracks, under names that begin with its own."""
        found: dict[str, np.ndarray] = {"words": np.array(self.words)}
        for number, model in enumerate(self.models, start=1):
            mine = {"contributions": model.contributions}
            mine |= {"_".join(f"{track.name} {track.group}".split()): track.values for track in model.tracks}
            mine |= {} if model.attention is None else model.attention.arrays()
            found |= {f"{number}_{model.name}_{name}": array for name, array in mine.items()}
        return found


def _drawn(look: Look, model: ModelLook) -> dict[str, Any]:
    """A model's values as the template takes them."""
    greatest = scale_of(model.contributions, model.least_scale)
    furthest = scale_of(np.array([each.effect for each in model.removals]), model.least_scale)
    removal_of = {each.first: each for each in model.removals}
    shown = set(range(len(look.words)))
    if len(look.words) > MOST_ROWS:
        shown = set(np.argsort(-np.abs(model.contributions), kind="stable")[:MOST_ROWS].tolist())
    rows = []
    for number, (word, value) in enumerate(zip(look.words, model.contributions.tolist(), strict=True)):
        if number not in shown:
            continue
        removal = removal_of[number] if len(shown) == len(look.words) and number in removal_of else None
        rows.append({
            "number": number, "word": word, "value": value, "bar": bar(value / greatest),
            "removal": None if removal is None else {
                **asdict(removal), "bar": bar(removal.effect / furthest), "words": removal.last - removal.first + 1
            },
            "tracks": [{"value": float(track.values[number]),
                        "width": round(BAR * float(track.values[number]) / (track.greatest or 1.0), 1)}
                       for track in model.tracks],
        })
    strip = [
        {"word": word, "before": before, "tint": tint(value / greatest), "sign": "for" if value >= 0 else "against",
         "value": value}
        for word, before, value in zip(look.words, look.between, model.contributions.tolist(), strict=False)
    ]
    return {
        "model": model, "rows": rows, "strip": strip, "scale": scale_shown(greatest),
        "removal_scale": scale_shown(furthest),
        "groups": [(name, len(list(tracks))) for name, tracks in groupby(model.tracks, key=lambda track: track.group)],
        "abouts": {track.name: track.about for track in model.tracks}.items(),
        "gated": any("gate" in track.name for track in model.tracks),
        "grouped": any(each.last > each.first for each in model.removals), "left_out": len(look.words) - len(rows),
        "heads": None if model.attention is None else heads_drawn(model.attention, model.quantity),
        "random": float(np.mean(model.removed_at_random)) if model.removed_at_random else None,
    }


def scale_of(values: np.ndarray, least: float = LEAST_SCALE) -> float:
    """The value that is drawn longest and coloured deepest: the largest one's size, but at least ``least``."""
    return max(least, float(np.abs(values).max(initial=0)))


def scale_shown(scale: float) -> str:
    """The end of a scale as it is printed."""
    return f"{scale:.3g}" if scale < 100 else f"{scale:,.0f}"


def bar(share: float) -> dict[str, Any]:
    """A bar from the middle, to the right for what is in favour of the answer."""
    width = round(abs(share) * BAR / 2, 1)
    return {"x": BAR / 2 if share >= 0 else round(BAR / 2 - width, 1), "width": width,
            "sign": "for" if share >= 0 else "against"}


def tint(share: float) -> float:
    """How strongly a word is coloured, so that it can still be read."""
    return round(STRONGEST_TINT * abs(share), 3)


def between(text: str, offsets: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """What stands before each word and behind the last."""
    edges = [0, *(end for _, end in offsets)]
    starts = [*(start for start, _ in offsets), len(text)]
    return tuple(text[edge:start] for edge, start in zip(edges, starts, strict=True))
