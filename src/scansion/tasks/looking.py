"""``scansion.look``: what models do with one text, side by side on its words.

Contributions say why an answer was given, removals what it would lose; attention, gates and sight are what a family's
own parts do meanwhile.  All of it is measured on the model as it answers, and nothing of it is left behind.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from scansion.errors import NotFittedError, UsageError
from scansion.families.catalogue import name_of
from scansion.layers.recording import recorded
from scansion.layers.silencing import heads_of, silenced
from scansion.tasks.explaining import TOKENS_AT_A_TIME, Answer, answer_of, explanation, without
from scansion.tasks.models import CountedModel, Model
from scansion.tasks.readings import Reading, Window, reading_of
from scansion.tasks.sight import sight_of
from scansion.tasks.tracks import tracks_of
from scansion.text.words import split_words
from scansion.viewer.heads import HeadMaps, weighed_together
from scansion.viewer.look import Look, ModelLook, Removal, between

if TYPE_CHECKING:
    from scansion.tasks.documents import DocumentEstimator

MOST_REMOVALS = 48  # of a longer text neighbouring words are removed together
ATTENTION = "Where each position looks"
ALL_HEADS = "all heads, each by its effect"

Places = list[tuple[int, int]]


def look(
    models: "DocumentEstimator | Sequence[DocumentEstimator]", text: str, answer: Any = None, window: int = 1
) -> Look:
    """What fitted classifiers or regressors do with ``text``.

    ``answer`` is the label whose score is looked at, by default the one that the first model gives.  Of a text that is
    longer than a model reads at a time, attention is that of one ``window``, the first unless given.
    UsageError for a label or window there is not, NotFittedError for a model that has learned nothing.
    """
    several = list(models) if isinstance(models, Sequence) else [models]
    if not several:
        raise UsageError("There is no model to look at. Give one, or several.")
    if not isinstance(text, str):
        raise UsageError(f"Expected one text, got {type(text).__name__}.")
    words = split_words(text)
    found = []
    for estimator in several:
        if not hasattr(estimator, "model_"):
            raise NotFittedError(f"This {type(estimator).__name__} has no model yet. Call fit(texts, targets) first.")
        chosen = answer_of(estimator.head_, estimator.model_.scores([text]), answer)
        if answer is None and chosen.head.kind != "regression":
            answer = chosen.label
        found.append(_seen(estimator, chosen, text, words, window))
    shown = tuple(text[start:end] for start, end in words)
    return Look(text, shown, between(text, words), tuple(found))


def _seen(estimator: "DocumentEstimator", answer: Answer, text: str, words: Places, window: int) -> ModelLook:
    model = estimator.model_
    explained = explanation(model, answer, text)
    contributions = np.zeros(len(words))
    if words:
        np.add.at(contributions, words_of(explained.offsets, words), explained.contributions)
    counted = isinstance(model, CountedModel)
    tracks, attention, fidelity, place = [], None, None, (1, 1)
    if not counted:
        reading = reading_of(model, text)
        windows = reading.windows()
        if not 1 <= window <= len(windows):
            raise UsageError(f"This text is read in {len(windows)} windows; there is no window {window}.")
        part, place = windows[window - 1], (window, len(windows))
        tracks, fidelity = tracks_of(reading, part, answer.output)
        if heads_of(reading.reader):
            attention, fidelity = _attention(reading, part, answer, words)
    elif window != 1:
        raise UsageError(f"A counted family reads a text in one piece; there is no window {window}.")
    return ModelLook(
        name_of(estimator.family_), sight_of(model, estimator.family_), answer.name, explained.probability,
        _probabilities(answer, model.scores([text])), contributions, counted, explained.base, explained.score,
        explained.completeness_error, explained.removed, explained.removed_at_random,
        _removals(model, answer, text, words), tuple(tracks), attention, fidelity, place,
    )


def _probabilities(answer: Answer, scores: np.ndarray) -> tuple[tuple[str, float], ...]:
    if answer.head.kind == "regression":
        return ()
    shares = answer.head.probabilities(scores)[0].tolist()
    return tuple(sorted(zip(map(str, answer.head.labels), shares, strict=True), key=lambda pair: -pair[1]))


def _removals(model: Model, answer: Answer, text: str, words: Places) -> tuple[Removal, ...]:
    """What the answer loses without each word, or without neighbouring ones of a long text."""
    if not words:
        return ()
    groups = np.array_split(np.arange(len(words)), min(len(words), MOST_REMOVALS))
    texts = [text, *(without(text, words, group) for group in groups)]
    support = answer.support(model.scores(texts))
    return tuple(
        Removal(int(group[0]), int(group[-1]), float(support[0] - left))
        for group, left in zip(groups, support[1:], strict=True)
    )


def _attention(reading: Reading, window: Window, answer: Answer, words: Places) -> tuple[HeadMaps, float]:
    """Every head's weights and effect, and how far the recorded path's scores are from the fast one's."""
    with torch.inference_mode():
        fast = reading.scores(window.tokens, window)
        with recorded(reading.reader) as maps:
            slow = reading.scores(window.tokens, window)
    weights = np.stack([calls[0][0].numpy() for calls in maps.values()])  # (layers, heads, L, L)
    effects = head_effects(reading, window, answer)
    names = tuple(reading.names(window))
    length = window.inside.stop - window.inside.start
    numbers = np.full(len(names), -1)
    places = [place for _, place in reading.pieces[window.first : window.first + length]]
    if words and places:
        numbers[window.inside] = words_of(places, words)
    numbers = tuple(numbers.tolist())
    together = weighed_together(weights, effects)
    maps_found = HeadMaps(ATTENTION, names, names, numbers, numbers, weights, effects, together, ALL_HEADS)
    return maps_found, float((fast - slow).abs().max())


def head_effects(reading: Reading, window: Window, answer: Answer) -> np.ndarray:
    """What the answer's log-probability (a number: the number) loses without each head, (layers, heads)."""
    heads = heads_of(reading.reader)
    single = [(name, head) for name, count in heads.items() for head in range(count)]
    at_a_time = max(1, TOKENS_AT_A_TIME // window.tokens.shape[1])
    support = []
    with torch.inference_mode():
        whole = answer.support(reading.scores(window.tokens, window).double().numpy())
        for begin in range(0, len(single), at_a_time):
            part = single[begin : begin + at_a_time]
            kept = {name: torch.ones(len(part), count) for name, count in heads.items()}
            for row, (name, head) in enumerate(part):
                kept[name][row, head] = 0
            with silenced(reading.reader, kept):
                scores = reading.scores(window.tokens.expand(len(part), -1), window)
            support.append(answer.support(scores.double().numpy()))
    return (whole - np.concatenate(support)).reshape(len(heads), -1)


def words_of(places: Places, words: Places) -> np.ndarray:
    """The number of the word that each place in a text lies in, or else behind."""
    starts = np.array([start for start, _ in words])
    return np.clip(np.searchsorted(starts, [start for start, _ in places], side="right") - 1, 0, None)
