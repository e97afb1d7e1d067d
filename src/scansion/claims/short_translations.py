"""Pairs of a source and what is to be written of it, for encoder-decoders: their training, and what they get right.

Letters are numbers from ``LETTER`` on; a source and a target end with END.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from scansion.learning.seq2seq import Seq2SeqBatch, Seq2SeqModel
from scansion.text.subword_tokenizer import END

LETTER = END + 1


def letters(random: np.random.Generator, rows: int, length: int, alphabet: int) -> NDArray:
    """Random texts of one length, (rows, length)."""
    return random.integers(LETTER, LETTER + alphabet, (rows, length))


def pairs_of(source: NDArray, target: NDArray) -> Seq2SeqBatch:
    """Sources (B, S) and targets (B, T) without their ends."""
    tensors = [torch.from_numpy(np.pad(each, ((0, 0), (0, 1)), constant_values=END)) for each in (source, target)]
    masks = [torch.ones_like(each, dtype=torch.bool) for each in tensors]
    return Seq2SeqBatch(tensors[0], masks[0], tensors[1], masks[1])


@torch.inference_mode()
def is_exact(model: Seq2SeqModel, batch: Seq2SeqBatch) -> NDArray:
    """Which rows greedy decoding writes without a mistake, (B,) bool.

    Up to its first mistake it reads the right target, so that the likeliest tokens after that one decide.
    """
    model.eval()
    logits = model.head.log_probs(model(batch), model.network.output_embedding)
    return (logits.argmax(dim=1).view(batch.target.shape) == batch.target).all(dim=1).numpy()
