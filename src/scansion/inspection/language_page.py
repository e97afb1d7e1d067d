"""What language models do with one text: what surprised them, what they expected instead, and where they looked."""

from collections.abc import Sequence

import numpy as np
import torch

from scansion.errors import UsageError
from scansion.families.catalogue import labelled
from scansion.layers.attention_capture import private, recorded
from scansion.layers.head_mask import each_head_masked, heads_of
from scansion.learning.language_network import READING_BUDGET, LanguageNetwork, windows_of
from scansion.models.fitted_language import FittedLanguage, document_sizes
from scansion.models.neural_language import NeuralLanguage
from scansion.text.batches import Batch, Sequences, collate
from scansion.viewer.heads import HeadMaps, weighed_together
from scansion.viewer.language_look import Candidate, LanguageLook, LanguageSeen

CANDIDATES = 10
BEFORE = "[begin]"
ENDED = "[end]"
ATTENTION = "Where each position looks in what was read"
ALL_HEADS = "all heads, each by its effect"
Parts = tuple[list[str], np.ndarray]


def look_at_language(models: Sequence[FittedLanguage], text: str, window: int = 1) -> LanguageLook:
    """What fitted language models make of ``text``, each in its own tokens, and side by side word by word.

    Of a text that is longer than a context, attention is that of one ``window``, the first unless given.
    UsageError for what is no text, and for a window there is not.
    """
    if not models:
        raise UsageError("There is no model to look at. Give one, or several.")
    if not isinstance(text, str):
        raise UsageError(f"Expected one text, got {type(text).__name__}. Give a str.")
    encoded = [fitted.encode([text]) for fitted in models]
    read = [(fitted, _windows(network, sequences) if network is not None else None)
            for fitted, sequences in zip(models, encoded, strict=True) for network in [attends(fitted)]]
    most = max((len(windows) for _, windows in read if windows is not None), default=1)
    if not 1 <= window <= most:
        raise UsageError(f"There is no window {window}: this text is read in {most}. Give one from 1 to {most}.")
    names = labelled(fitted.family for fitted in models)
    return LanguageLook(text, tuple(
        _seen(name, fitted, sequences, text, windows, window)
        for name, (fitted, windows), sequences in zip(names, read, encoded, strict=True)
    ))


def attends(fitted: FittedLanguage) -> NeuralLanguage | None:
    """The part of a model that has heads of attention; None where there is none."""
    parts = [fitted.model, getattr(fitted.model, "network", None)]
    return next((part for part in parts if isinstance(part, NeuralLanguage) and heads_of(part.network)), None)


def _windows(model: NeuralLanguage, sequences: Sequences) -> Sequences:
    context = model.context
    return windows_of(sequences, context, len(sequences.ids) if context is None else context // 2)[0]


def _seen(
    name: str, fitted: FittedLanguage, sequences: Sequences, text: str, windows: Sequences | None, window: int
) -> LanguageSeen:
    tokens = np.asarray(sequences.ids[:])
    shown = fitted.units.shown(tokens[1:-1].tolist())
    if shown and fitted.units.prefix:
        shown[0] = shown[0].removeprefix(fitted.units.prefix)
    bits = fitted.bits(sequences)[1:]
    attention, fidelity, place = None, None, (1, 1)
    network = attends(fitted)
    if network is not None and windows is not None and len(windows):
        place = min(window, len(windows)), len(windows)
        part = windows.only(slice(place[0] - 1, place[0]))
        begin = int(part.starts[0])
        labels = [BEFORE, *shown][begin : begin + int(part.lengths[0]) - 1]
        attention, fidelity = _attention(private(network.network), collate(part, np.arange(1)), labels, begin == 0)
    return LanguageSeen(
        name, fitted.units.name, tuple(shown), bits, candidates_of(fitted, tokens),
        float(bits.sum()) / max(1, int(document_sizes([text], fitted.documents)[0])), attention, fidelity, place,
    )


def candidates_of(fitted: FittedLanguage, tokens: np.ndarray) -> tuple[tuple[Candidate, ...], ...]:
    """The likeliest tokens at every position of a document but its first, likeliest first."""
    state = fitted.model.start(1)
    found: list[tuple[Candidate, ...]] = []
    end = int(tokens[-1])
    for token in tokens[:-1]:
        scores, state = fitted.model.step(np.array([token]), state)
        most = min(CANDIDATES, scores.shape[1])
        best = np.argpartition(-scores[0], most - 1)[:most]
        best = best[np.argsort(-scores[0, best], kind="stable")]
        names = [ENDED if number == end else shown for number, shown in
                 zip(best.tolist(), fitted.units.shown(best.tolist()), strict=True)]
        found.append(tuple(map(Candidate, names, np.exp(scores[0, best]).tolist())))
    return tuple(found)


def _attention(
    network: LanguageNetwork, batch: Batch, labels: list[str], opens: bool
) -> tuple[HeadMaps, float]:
    """Every head's weights and effect in one window, and how far the recorded path is from the fast one."""
    with torch.inference_mode():
        fast = network.log_probabilities(batch)
        with recorded(network) as maps:
            slow = network.log_probabilities(batch)
        weights = np.stack([calls.pop()[0].numpy() for calls in maps.values()])  # (layers, heads, L, L)
        whole, left = float(fast.double().sum()), []
        for rows in each_head_masked(network, max(1, READING_BUDGET // batch.tokens.shape[1])):
            several = Batch(batch.tokens.repeat(rows, axis=0), batch.mask.repeat(rows, axis=0), batch.rows)
            left.append(network.log_probabilities(several).double().sum(dim=1).numpy())
    effects = (whole - np.concatenate(left)).reshape(weights.shape[:2])
    numbers, shown = words_of(labels[1:] if opens else labels), tuple(labels)
    words = (-1, *numbers) if opens else tuple(numbers)
    together = weighed_together(weights, effects)
    found = HeadMaps(
        ATTENTION, shown, shown, words, words, weights, effects, together, ALL_HEADS, causal=True
    )
    return found, float((fast - slow).abs().max())


def words_of(tokens: Sequence[str]) -> list[int]:
    """The number of the word that each token ends in: a word begins with the first token behind a blank."""
    found: list[int] = []
    number, blank = 0, False
    for token in tokens:
        if found and (blank or token[:1].isspace()) and not token.isspace():
            number += 1
        found.append(number)
        blank = token[-1:].isspace()
    return found
