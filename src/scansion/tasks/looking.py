"""``scansion.look``: what models do with one text, side by side on its words.

Contributions say why an answer was given, removals what it would lose; attention, gates and sight are what a family's
own parts do meanwhile.  All of it is measured on the model as it answers, and nothing of it is left behind.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from scansion.errors import NotFittedError, UsageError
from scansion.families.catalogue import labelled
from scansion.layers.recording import recorded
from scansion.layers.silencing import each_head_silenced, heads_of
from scansion.tasks.explaining import (
    TOKENS_AT_A_TIME,
    Answer,
    answer_of,
    explanation,
    removed_together,
    without,
)
from scansion.tasks.models import CountedModel, Model
from scansion.tasks.readings import Reading, Window, reading_of
from scansion.tasks.sight import sight_of
from scansion.tasks.tracks import tracks_of
from scansion.text.words import split_words
from scansion.viewer.heads import HeadMaps, weighed_together
from scansion.viewer.look import Look, ModelLook, Removal, between

if TYPE_CHECKING:
    from scansion.tasks.documents import DocumentEstimator

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
    _check(several, text)
    readings = [None if isinstance(each.model_, CountedModel) else reading_of(each.model_, text) for each in several]
    most = max((len(reading.windows()) for reading in readings if reading is not None), default=1)
    if not 1 <= window <= most:
        raise UsageError(f"There is no window {window}: this text is read in {most}. Give one from 1 to {most}.")
    words = split_words(text)
    names = labelled(each.family_ for each in several)
    found = []
    for name, estimator, reading in zip(names, several, readings, strict=True):
        scores = estimator.model_.scores([text])
        chosen = answer_of(estimator.head_, scores, answer)
        answer = chosen.label
        found.append(_seen(name, estimator, chosen, scores, text, words, reading, window))
    shown = tuple(text[start:end] for start, end in words)
    return Look(text, shown, between(text, words), tuple(found))


def _check(models: list[Any], text: str) -> None:
    if not models:
        raise UsageError("There is no model to look at. Give one, or several.")
    if not isinstance(text, str):
        raise UsageError(f"Expected one text, got {type(text).__name__}. Give a str.")
    for each in models:
        if not hasattr(each, "head_for"):
            raise UsageError(f"Expected classifiers or regressors, got {type(each).__name__}. Call its own look, if it "
                             "has one.")
        if not hasattr(each, "model_"):
            raise NotFittedError(f"This {type(each).__name__} has no model yet. Call fit(texts, targets) first.")
    if len({each.head_.kind == "regression" for each in models}) > 1:
        raise UsageError("Some of these models answer with labels and some with numbers, which have no scale in "
                         "common. Look at them one by one.")


def _seen(
    name: str, estimator: "DocumentEstimator", answer: Answer, scores: np.ndarray, text: str, words: Places,
    reading: Reading | None, window: int,
) -> ModelLook:
    model = estimator.model_
    explained = explanation(model, answer, text, reading)
    contributions = np.zeros(len(words))
    if words:
        np.add.at(contributions, words_of(explained.offsets, words), explained.contributions)
    tracks, attention, fidelity, place = [], None, None, (1, 1)
    if reading is not None:
        windows = reading.windows()
        place = min(window, len(windows)), len(windows)
        part = windows[place[0] - 1]
        tracks, fidelity = tracks_of(reading, part, answer.output)
        if heads_of(reading.reader):
            attention, fidelity = _attention(reading, part, answer, words)
    return ModelLook(
        name, sight_of(model, estimator.family_), answer.name, _said(estimator.answers(scores)[0]),
        explained.probability, _probabilities(answer, scores), contributions, reading is None, explained.base,
        explained.score, explained.completeness_error, explained.removed, explained.removed_at_random,
        _removals(model, answer, text, words), tuple(tracks), attention, fidelity, place,
    )


def _said(decision: Any) -> str:
    """What a model answers, in words."""
    if isinstance(decision, float):
        return f"{decision:,.6g}"
    if isinstance(decision, tuple):
        return " and ".join(map(str, decision)) or "no label"
    return str(decision)


def _probabilities(answer: Answer, scores: np.ndarray) -> tuple[tuple[str, float], ...]:
    if answer.label is None:
        return ()
    shares = answer.head.probabilities(scores)[0].tolist()
    return tuple(sorted(zip(map(str, answer.head.labels), shares, strict=True), key=lambda pair: -pair[1]))


def _removals(model: Model, answer: Answer, text: str, words: Places) -> tuple[Removal, ...]:
    """What the answer loses without each word, or without neighbouring ones of a long text."""
    groups = removed_together(len(words))
    support = answer.support(model.scores([text, *(without(text, words, group) for group in groups)]))
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
    weights = np.stack([calls.pop()[0].numpy() for calls in maps.values()])  # (layers, heads, L, L)
    effects = head_effects(reading, window, answer)
    names = tuple(reading.names(window))
    length = window.inside.stop - window.inside.start
    numbers = np.full(len(names), -1)
    places = [place for _, place in reading.pieces[window.first : window.first + length]]
    if words and places:
        numbers[window.inside] = words_of(places, words)
    numbers = tuple(numbers.tolist())
    together = weighed_together(weights, effects)
    found = HeadMaps(ATTENTION, names, names, numbers, numbers, weights, effects, together, ALL_HEADS)
    return found, float((fast - slow).abs().max())


def head_effects(reading: Reading, window: Window, answer: Answer) -> np.ndarray:
    """What the answer's log-probability (a number: the number) loses without each head, (layers, heads)."""
    support = []
    with torch.inference_mode():
        whole = answer.support(reading.scores(window.tokens, window).double().numpy())
        for rows in each_head_silenced(reading.reader, max(1, TOKENS_AT_A_TIME // window.tokens.shape[1])):
            scores = reading.scores(window.tokens.expand(rows, -1), window)
            support.append(answer.support(scores.double().numpy()))
    return (whole - np.concatenate(support)).reshape(len(heads_of(reading.reader)), -1)


def words_of(places: Places, words: Places) -> np.ndarray:
    """The number of the word that each place in a text ends in, or else behind; a blank may belong to its beginning."""
    starts = np.array([start for start, _ in words])
    last = [max(start, end - 1) for start, end in places]
    return np.clip(np.searchsorted(starts, last, side="right") - 1, 0, None)
