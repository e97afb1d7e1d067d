"""What document models do with one text, side by side on its words.

Contributions say why an answer was given, removals what it would lose; attention, gates and receptive fields are what a
family's own parts do meanwhile.  All of it is measured on the model as it answers, and nothing of it is left behind.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from scansion.errors import UsageError
from scansion.families.catalogue import labelled
from scansion.inspection.explanation import Answer, answer_of, explanation, removed_together, without
from scansion.inspection.integrated_gradients import TOKENS_AT_A_TIME
from scansion.inspection.model_inputs import ModelInput, Window, model_input
from scansion.inspection.receptive_field import receptive_field_of
from scansion.inspection.recurrent_trace import tracks_of
from scansion.layers.attention_capture import recorded
from scansion.layers.head_mask import each_head_masked, heads_of
from scansion.models.document_models import DocumentModel, FittedDocuments
from scansion.text.words import split_words
from scansion.viewer.heads import HeadMaps, weighed_together
from scansion.viewer.look import LEAST_SCALE, Look, ModelLook, Removal, Track, between

ATTENTION = "Where each position looks"
ALL_HEADS = "all heads, each by its effect"

Places = list[tuple[int, int]]


def look_at_documents(models: Sequence[FittedDocuments], text: str, answer: Any = None, window: int = 1) -> Look:
    """What fitted classifiers or regressors do with ``text``.

    ``answer`` is the label whose score is looked at, by default the one that the first model gives.  Of a text that is
    longer than a model reads at a time, attention is that of one ``window``, the first unless given.
    UsageError for a label or window there is not, and for models that answer with labels beside some with numbers.
    """
    if not models:
        raise UsageError("There is no model to look at. Give one, or several.")
    if not isinstance(text, str):
        raise UsageError(f"Expected one text, got {type(text).__name__}. Give a str.")
    if len({each.head.kind == "regression" for each in models}) > 1:
        raise UsageError("Some of these models answer with labels and some with numbers, which have no scale in "
                         "common. Look at them one by one.")
    inputs = [model_input(each.model, text) for each in models]
    most = max((len(read.windows()) for read in inputs if read is not None), default=1)
    if not 1 <= window <= most:
        raise UsageError(f"There is no window {window}: this text is read in {most}. Give one from 1 to {most}.")
    words = split_words(text, models[0].model.word_rule)
    names = labelled(each.family for each in models)
    found = []
    for name, fitted, read in zip(names, models, inputs, strict=True):
        logits = fitted.model.logits([text])
        chosen = answer_of(fitted.head, logits, answer)
        answer = chosen.label
        found.append(_seen(name, fitted, chosen, logits, text, words, read, window))
    shown = tuple(text[start:end] for start, end in words)
    return Look(text, shown, between(text, words), tuple(found))


def _seen(
    name: str, fitted: FittedDocuments, answer: Answer, logits: np.ndarray, text: str, words: Places,
    read: ModelInput | None, window: int,
) -> ModelLook:
    model = fitted.model
    explained = explanation(model, answer, text, read)
    contributions = np.zeros(len(words))
    if words:
        np.add.at(contributions, words_of(explained.offsets, words), explained.contributions)
    tracks: list[Track] = []
    attention, fidelity, place = None, None, (1, 1)
    if read is not None:
        windows = read.windows()
        place = min(window, len(windows)), len(windows)
        part = windows[place[0] - 1]
        tracks, fidelity = tracks_of(fitted.family, read, part, answer.output)
        if heads_of(read.network):
            attention, fidelity = _attention(read, part, answer, words)
    return ModelLook(
        name, receptive_field_of(fitted), answer.name, _said(fitted.answers(logits)[0]),
        explained.probability, _probabilities(answer, logits), contributions,
        LEAST_SCALE * abs(fitted.head.scale(answer.sign)[0]), read is None, explained.base,
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


def _probabilities(answer: Answer, logits: np.ndarray) -> tuple[tuple[str, float], ...]:
    if answer.label is None:
        return ()
    shares = answer.head.probabilities(logits)[0].tolist()
    return tuple(sorted(zip(map(str, answer.head.labels), shares, strict=True), key=lambda pair: -pair[1]))


def _removals(model: DocumentModel, answer: Answer, text: str, words: Places) -> tuple[Removal, ...]:
    """What the answer loses without each word, or without neighbouring ones of a long text."""
    groups = removed_together(len(words))
    support = answer.support(model.logits([text, *(without(text, words, group) for group in groups)]))
    return tuple(
        Removal(int(group[0]), int(group[-1]), float(support[0] - left))
        for group, left in zip(groups, support[1:], strict=True)
    )


def _attention(read: ModelInput, window: Window, answer: Answer, words: Places) -> tuple[HeadMaps, float]:
    """Every head's weights and effect, and how far the recorded path's logits are from the fast one's."""
    with torch.inference_mode():
        fast = read.logits(window.tokens, window)
        with recorded(read.network) as maps:
            slow = read.logits(window.tokens, window)
    weights = np.stack([calls.pop()[0].numpy() for calls in maps.values()])  # (layers, heads, L, L)
    effects = head_effects(read, window, answer)
    names = tuple(read.names(window))
    length = window.inside.stop - window.inside.start
    numbers = np.full(len(names), -1)
    places = [place for _, place in read.tokens[window.first : window.first + length]]
    if words and places:
        numbers[window.inside] = words_of(places, words)
    words_of_tokens = tuple(numbers.tolist())
    together = weighed_together(weights, effects)
    found = HeadMaps(ATTENTION, names, names, words_of_tokens, words_of_tokens, weights, effects, together, ALL_HEADS)
    return found, float((fast - slow).abs().max())


def head_effects(read: ModelInput, window: Window, answer: Answer) -> np.ndarray:
    """What the answer's log-probability (a number: the number) loses without each head, (layers, heads)."""
    support = []
    with torch.inference_mode():
        whole = answer.support(read.logits(window.tokens, window).double().numpy())
        for rows in each_head_masked(read.network, max(1, TOKENS_AT_A_TIME // window.tokens.shape[1])):
            logits = read.logits(window.tokens.expand(rows, -1), window)
            support.append(answer.support(logits.double().numpy()))
    return (whole - np.concatenate(support)).reshape(len(heads_of(read.network)), -1)


def words_of(places: Places, words: Places) -> np.ndarray:
    """The number of the word that each place in a text ends in, or else behind; a blank may belong to its beginning."""
    starts = np.array([start for start, _ in words])
    last = [max(start, end - 1) for start, end in places]
    return np.clip(np.searchsorted(starts, last, side="right") - 1, 0, None)
