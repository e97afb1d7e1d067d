"""Transfer never really worked for the LSTM; it does for Transformers.

    first:  guess words of all texts, without their labels;     then:  a few labels

Refuted in 2018, a year before BERT: ULMFiT (Howard and Ruder 2018), an LSTM, 95.4 % on IMDb; ELMo (Peters et al. 2018).
Here on the shipped film reviews: what ``--pretrain own`` does, small, with few labels, and the same without it.  At full
size (benchmarks/RESULTS.md: 24,000 unlabelled reviews of IMDb, 1,000 labels): LSTM +5.8, RNN +6.2, Transformer +5.0.
"""

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Condition, Curve, Lines, Measured, Point, mean_of, share_of
from scansion.claims.reviews import reviews
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.learning.document_job import Start
from scansion.randomness import stream
from scansion.tasks.classifier import DocumentClassifier
