"""Depending on the use, the LSTM still has its place.

    streaming:  an LSTM keeps 2 H numbers, whatever it has read; a Transformer 2 layers D for every word
    counting:   a^n b^n; an LSTM counts in its memory (Weiss et al. 2018; Suzgun et al. 2019), and goes on beyond training
    parity:     one bit of state; Transformers do not learn it at lengths never seen (Hahn 2020; Deletang et al. 2023)
    recall:     many pairs do not fit a state of fixed size; attention looks them up (Arora et al. 2024)

Both families as language models; the LSTM's forget gate begins open.  Parity has a curriculum, short texts first.
"""

import time
from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Condition, Curve, Lines, Measured, Point, mean_of, share_at, share_of
from scansion.claims.sequences import FIRST, counted, parity, recall_of_pairs
from scansion.claims.short_training import foretold, language_training, last_loss
from scansion.families.causal_transformer import CausalTransformer
from scansion.families.recurrent_language_model import LSTMLanguageModel
from scansion.learning.language_network import LanguageNetwork, build_language
from scansion.randomness import stream

TOKENS, WIDTH, CONTEXT, LETTERS = 40, 32, 512, 16
FAMILIES: dict[str, tuple[Any, float]] = {
    "LSTM": (LSTMLanguageModel(WIDTH, WIDTH, dropout=0.0), 1e-2),
    "Transformer": (CausalTransformer(WIDTH, 2, 2, 2 * WIDTH, 0.0, CONTEXT), 3e-3),
}
COUNTS, COUNTED_TO, BITS, LONGEST_BITS = 20, (10, 20, 30, 40, 60), 12, (8, 12, 16, 24, 40)
PAIRS = (2, 4, 6, 8)
STREAMED = (16, 64, 128, 256, 448)
STEPS = {"counting": 300, "parity": 600, "recall": 500}
