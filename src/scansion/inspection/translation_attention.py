"""What a translator looks at while it writes."""

from dataclasses import dataclass

import numpy as np
import torch

from scansion.errors import UsageError
from scansion.layers.attention_capture import private, recorded
from scansion.learning.seq2seq import batch_of
from scansion.models.translation_model import FittedTranslator
from scansion.text.pairs import Pairs

KINDS = {"attention": "source", "own_attention": "target", "source_attention": "across"}


@dataclass(frozen=True, eq=False)
class TranslationAttention:
    """Weights of every layer and head, float32; a row for each position that looks, and every row sums to one."""

    source: list[str]
    """S subwords, each with the blank before it; the last is the end."""
    target: list[str]
    """T subwords; row t of ``across`` and ``within_target`` is what was looked at to *produce* ``target[t]``."""
    across: np.ndarray
    """From the target to the source, (layers, heads, T, S)."""
    within_source: np.ndarray | None
    """From the source to itself, (layers, heads, S, S); None for a family that carries a state along instead."""
    within_target: np.ndarray | None
    """From the target to its own past, (layers, heads, T, T), where column i is what was written before ``target[i]``;
    None as above."""


def attention_of(fitted: FittedTranslator, source: str, target: str) -> TranslationAttention:
    """The weights with which ``target`` is written for ``source``; UsageError for a family that does not attend."""
    tokenizer = fitted.tokenizer
    pair = Pairs(tokenizer.encode([source]), tokenizer.encode([target]))
    pair.check_lengths(fitted.max_length)
    model = private(fitted.model)
    with torch.inference_mode(), recorded(model) as maps:
        model(batch_of(pair, np.zeros(1, np.int64)))
    found: dict[str, list[np.ndarray]] = {}
    for name, weights in maps.items():
        if weights[0].ndim == 2:  # additive attention looks once a target position: one head, one layer
            found["across"] = [torch.stack(weights, dim=1).numpy()]
        else:
            found.setdefault(KINDS[name.rsplit(".", 1)[-1]], []).append(weights[0][0].numpy())
    if "across" not in found:
        raise UsageError("This family has no attention: the whole source passes through one vector.")
    stacked = {kind: np.stack(layers) for kind, layers in found.items()}
    return TranslationAttention(
        tokenizer.shown(pair.source.ids[:].tolist()), tokenizer.shown(pair.target.ids[:].tolist()), stacked["across"],
        stacked.get("source"), stacked.get("target"),
    )
